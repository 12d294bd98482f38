"""The options and arguments that several commands share."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from math import isfinite
from pathlib import Path
from typing import Annotated, Any

from typer import Argument, Option

from ..contracts.data_spec import CLASSES_FROM
from ..contracts.errors import BadValue
from ..contracts.knobs import Knob, knobs
from ..contracts.specs import Recipe
from ..contracts.window import GROUNDS, parse_window

_DATA_HELP = "A bundled name, a folder, a zip, a tar, or hf:ID."

Data = Annotated[str, Option("--data", metavar="DATA", help=_DATA_HELP)]
DataArgument = Annotated[str, Argument(metavar="DATA", help=_DATA_HELP)]
Adapter = Annotated[str, Argument(metavar="ADAPTER", help="An adapter of the zoo, or a file.")]
Adapters = Annotated[
    list[str], Argument(metavar="ADAPTER ...", help="Adapters of the zoo, or files.")
]
Shares = Annotated[
    str, Option(metavar="S,S", help="How much of each of several, for instance 0.7,0.3.")
]
Backbone = Annotated[
    str, Option("--backbone", metavar="B", help="Its name; the bundled one if left out.")
]
Weights = Annotated[
    Path | None, Option("--weights", metavar="FILE", help="A weights file to register and use.")
]
Arch = Annotated[
    str, Option("--arch", metavar="NAME", help="timm's name of it; guessed from the file's name.")
]
Size = Annotated[
    int, Option("--size", metavar="PX", help="Image side; the backbone's own if left out.")
]
Shots = Annotated[int, Option("--shots", metavar="K", help="Training images per class.")]
Seed = Annotated[
    int, Option("--seed", metavar="S", help="Chooses images, starting weights and their order.")
]
Workers = Annotated[
    int,
    Option(
        metavar="N",
        min=1,
        max=64,
        help="Runs at a time, each in a process of its own with its share of the threads.",
    ),
]
Ray = Annotated[
    str,
    Option(
        metavar="auto|local|ADDRESS",
        help="Do the runs on a Ray cluster; local is one of this machine.",
    ),
]
GpusPerRun = Annotated[
    float,
    Option(metavar="F", min=0.0, max=16.0, help="On Ray: the share of a GPU that a run takes."),
]
Tune = Annotated[
    int,
    Option("--tune", metavar="N", help="Try N settings on validation images first; keep the best."),
]
NewName = Annotated[str, Option("--as", metavar="NAME", help="What to call it here.")]
Zoo = Annotated[
    Path | None,
    Option("--zoo", metavar="DIR", help="Where adapters are, if not in PEFT_DEMO_HOME."),
]
Offline = Annotated[bool, Option("--offline", help="Look nothing up on the network.")]
Json = Annotated[bool, Option("--json", help="Print one JSON value on the last line.")]


READING = {
    "image_column": ("NAME", "Of pictures (Hub) or their file names (table); guessed if left out."),
    "label_column": ("NAME", "Of classes, of a Hub set or a table; guessed if left out."),
    "splits": ("SPLITS", "train=NAME,val=NAME,test=NAME (a+b joins two), or none."),
    "labels": ("TABLE", "The table with the labels: in the dataset, or a file."),
    "classes_from": (
        "|".join(CLASSES_FROM),
        "Where classes come from; the reader says what it took.",
    ),
    "encoding": ("NAME", "Of file names that are no UTF-8, for instance gb18030."),
    "window": ("LOW,HIGH", "Values that become black and white in pictures deeper than 8 bits."),
    "ground": ("|".join((*GROUNDS, "#rrggbb")), "What lies behind transparent pictures."),
    "corrections": ("DIGEST=CLASS,…", "Pictures of another class or none, by their SHA-256."),
}
"""Fields of `DataSpec` that say how a dataset is read, with what their flags take and mean."""


def with_reading(command: Callable[..., None]) -> Callable[..., None]:
    """Gives `command` a flag for each field of `READING`.

    The command gets those that a person set as `reading`, a dictionary of fields of `DataSpec`.
    """

    @wraps(command)
    def wrapped(**options: Any) -> None:
        flags = {name: options.pop(name) for name in READING}
        reading = {name: text for name, text in flags.items() if text is not None}
        if "window" in reading:
            reading["window"] = parse_window(reading["window"])
        command(**options, reading=reading)

    flags = [_reading_flag(name, metavar, text) for name, (metavar, text) in READING.items()]
    _set_signature(wrapped, _with_flags(signature(command), "reading", flags))
    return wrapped


def with_recipe(command: Callable[..., None]) -> Callable[..., None]:
    """Gives `command` a flag for each knob of the recipe.

    The command gets those that a person set as `recipe`, a dictionary of name and text.
    """

    @wraps(command)
    def wrapped(**options: Any) -> None:
        flags = {knob.name: options.pop(knob.name) for knob in knobs(Recipe)}
        recipe = {name: text for name, text in flags.items() if text is not None}
        command(**options, recipe=recipe)

    flags = [_flag(knob) for knob in knobs(Recipe)]
    _set_signature(wrapped, _with_flags(signature(command), "recipe", flags))
    return wrapped


def _with_flags(own: Signature, collected: str, flags: list[Parameter]) -> Signature:
    """The signature with these flags in place of the parameter that collects them."""
    parameters = [p for p in own.parameters.values() if p.name != collected]
    ordered = sorted([*parameters, *flags], key=lambda parameter: parameter.kind)
    return own.replace(parameters=ordered)


def _set_signature(function: Callable[..., None], new: Signature) -> None:
    """Typer reads names and defaults in the signature, types and help in the annotations."""
    setattr(function, "__signature__", new)  # noqa: B010  a type checker knows no such attribute
    function.__annotations__ = {p.name: p.annotation for p in new.parameters.values()}


def _reading_flag(name: str, metavar: str, text: str) -> Parameter:
    option = Option(f"--{name.replace('_', '-')}", metavar=metavar, help=text)
    annotation = Annotated[str | None, option]
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def _flag(knob: Knob) -> Parameter:
    label = f"{knob.label}: {knob.info}" if knob.info else knob.label
    option = Option(
        f"--{knob.name.replace('_', '-')}",
        metavar="|".join(knob.choices) or knob.kind,
        help=f"{label} [default: {knob.default}]",
    )
    annotation = Annotated[str | None, option]
    return Parameter(knob.name, Parameter.KEYWORD_ONLY, default=None, annotation=annotation)


def parse_shares(typed: str) -> tuple[float, ...]:
    """ "0.7,0.3" → (0.7, 0.3); "" → (), which is the same of each."""
    wrong = BadValue(f"--shares takes numbers, got {typed!r}.", "For instance 0.7,0.3.")
    try:
        shares = tuple(map(float, typed.split(","))) if typed else ()
    except ValueError:
        raise wrong from None
    if not all(map(isfinite, shares)):
        raise wrong
    return shares
