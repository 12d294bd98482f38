"""`verify`: whether an adapter, or what was exported of one, answers as it did when it was made."""

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from .options import Json, Offline, Zoo
from .services import open_studio
from .terminal import print_answer


def verify(
    what: Annotated[
        str,
        Argument(
            metavar="WHAT",
            help="An adapter of the zoo, a file, or what `export` or `merge` wrote.",
        ),
    ],
    out: Annotated[
        Path | None,
        Option(
            "--out",
            metavar="FILE",
            help="Write an adapter of an earlier version with what it answers here.",
        ),
    ] = None,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Ask an adapter or an export about two probe pictures again; 1 if it answers otherwise.

    Adapters keep what they answered, and exports carry it: another backbone, resize, normalisation
    or order of classes shows.
    """
    with open_studio(zoo, offline) as studio:
        if out is not None:
            studio.zoo.keep_probes(studio.zoo.find(what), out)
            print_answer({"file": str(out)}, [f"{out}: says what it answers here"], as_json)
            return
        result = studio.zoo.verify_any(what)
    print_answer(vars(result), [result.sentence, *result.notes], as_json)
    if not result.agrees:
        raise typer.Exit(1)
