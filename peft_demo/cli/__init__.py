"""The command line: what the page can do, one command each. `main` is the door.

    terminal.py    what is printed: answers, tables, complaints
    progress.py    how far a command is: a bar, or lines where there is no terminal
    options.py     the options that several commands share
    services.py    the studio that answers a command

Every other file holds the commands of one subject, as plain functions; this one names them.
Answers go to standard output, as text or (with --json) as one JSON value on the last line. Progress
and complaints go to standard error. Bad input ends with exit code 2 and one sentence. Nothing heavy
is imported before a command runs.
"""

import sys
from collections.abc import Sequence

import typer

from ..contracts.errors import PeftDemoError
from . import (
    adapters,
    backbones,
    calibrate,
    data_map,
    datasets,
    evaluate,
    explain,
    hub,
    inspect,
    methods,
    predict,
    strength,
    together,
    train,
    verify,
    zoo,
)
from .terminal import INTERRUPTED, complain, escape_what_cannot_be_printed

_CLICK_ERROR: type[typer.BadParameter] = typer.BadParameter.__mro__[2]
"""Click's base of all complaints about words and flags; Typer may carry a Click of its own."""

app = typer.Typer(
    help="Fine-tune frozen Vision Transformers on a few images, and classify with the result.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("methods")(methods.list_methods)
app.command("datasets")(datasets.list_datasets)
app.command("zoo")(zoo.list_adapters)
app.command("check")(datasets.check)
app.command("train")(train.train)
app.command("resume")(train.resume)
app.command("predict")(predict.predict)
app.command("evaluate")(evaluate.evaluate)
app.command("explain")(explain.explain)
app.command("map")(data_map.data_map)
app.command("inspect")(inspect.inspect)
app.command("strength")(strength.strength)
app.command("together")(together.together)
app.command("calibrate")(calibrate.calibrate)
app.command("verify")(verify.verify)
app.command("merge")(adapters.merge)
app.command("export")(adapters.export)
app.command("import")(adapters.import_adapter)
app.command("push")(hub.push)
app.command("search")(hub.search)
app.command("pull")(hub.pull)
app.add_typer(backbones.app, name="backbones")


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits: 0, or 2 after a sentence about bad input, or 130 after Ctrl-C."""
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; its exit code."""
    escape_what_cannot_be_printed()
    try:
        return app(arguments, prog_name="python -m peft_demo", standalone_mode=False) or 0
    except PeftDemoError as error:
        return complain(str(error))
    except _CLICK_ERROR as error:
        return complain(error.format_message())
    except OSError as error:
        return complain(f"{error.filename or 'a file'}: {error.strerror or error}.")
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
