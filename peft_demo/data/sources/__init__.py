"""Where datasets come from. One place, one file; a new file here is all that a new source takes.

How to add a source
-------------------
Write `peft_demo/data/sources/yours.py` with a record that says everything about it:

    def parse(word: str) -> str | None:           # "yours:owner/name" → the name in the spec
        return word if word.startswith("yours:") else None

    def open_yours(request: Request) -> Dataset:  # labelled pictures, none of them decoded yet
        ...

    YOURS = Source("yours", open_yours, parse=parse)

Every module-level `Source` is found by itself; the command line understands its word from then
on. What of a dataset's name may leave the machine stands in `DataSpec.public`: `yours:owner/name`
stays whole, and of a path only the last part is left (`yours:/home/me/pets.csv` becomes
`yours:pets.csv`). A source whose names are paths keeps its word in the name too, says
`local=True`, and finds its file in `locate`; `folder.py` is an example. Add
`tests/data/test_yours.py`, and a line about what is private to `tests/studio/test_privacy.py`.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

from ...contracts.corrections import parse_corrections
from ...contracts.errors import BadData, UnknownName
from ...contracts.progress import Report
from ...contracts.specs import DataSpec
from ...contracts.window import Window
from ...storage.home import Home
from ...storage.paths import expanded, is_file
from ..corrections import corrected
from ..dataset import Dataset
from ..formats import describe
from ..listing import Listing, Parts
from ..pixels import SET_PIXELS


@dataclass(frozen=True)
class Request:
    """A dataset to be opened: `path` is where its files lie, None for a source that has none."""

    spec: DataSpec
    path: Path | None = None
    offline: bool = False
    report: Report | None = None


def no_word(word: str) -> None:
    """For `Source.parse`: no word of the command line means this source."""


def no_place(name: str, home: Home | None) -> None:
    """For `Source.locate`: its datasets are not files of this machine."""


@dataclass(frozen=True)
class Source:
    """One kind of dataset: how it is named, found and opened."""

    name: str
    """The `source` of its specs."""
    open: Callable[[Request], Dataset]
    """The dataset, no pixel decoded yet. Raises `BadData`, or another `PeftDemoError`."""
    parse: Callable[[str], str | None] = no_word
    """The `name` of the spec that a word of the command line means, None if it means another
    source."""
    locate: Callable[[str, Home | None], Path | None] = no_place
    """Where the files lie of the dataset with this name. Raises `UnknownName` or `BadData` if they
    are gone."""
    local: bool = False
    """Whether the name is a path, which only the machine's own user may give."""
    list: Callable[[Path], Listing] | None = None
    """All files that lie there, whatever they are; None for a source that is no folder or
    archive."""


_ANCHOR = re.compile(r"[/\\]|[A-Za-z]:")
"""How an absolute path begins, here and on Windows."""


def parts_of(name: str) -> Parts:
    """The place that an archive's member names; ".." and what begins an absolute path are kept."""
    root = ("/",) if name.startswith("/") else ()
    return (*root, *(word for word in name.split("/") if word not in ("", ".")))


def leads_out(parts: Parts) -> bool:
    """Whether the name of an archive's member leads out of it: "..", an absolute path, a drive."""
    return ".." in parts or bool(parts and _ANCHOR.match(parts[0]))


@lru_cache
def sources() -> Mapping[str, Source]:
    """All sources by name, in alphabetical order of their files."""
    modules = [import_module(f"{__name__}.{m.name}") for m in iter_modules(__path__)]
    records = [v for module in modules for v in vars(module).values() if isinstance(v, Source)]
    return {record.name: record for record in records}


def find_source(name: str) -> Source:
    """The source of this name; `UnknownName` offers the nearest one."""
    if name not in sources():
        raise UnknownName("data source", name, sources())
    return sources()[name]


def open_dataset(
    spec: DataSpec,
    path: Path | None = None,
    *,
    offline: bool = False,
    report: Report | None = None,
    most_pixels: int = SET_PIXELS,
) -> Dataset:
    """The dataset that `spec` names, no pixel decoded yet; `most_pixels` may be later.

    `path` is where its files are: for class cards a folder of class folders, for an upload a zip.
    Folders and zips are also found by `spec.name` itself. Raises `UnknownName`, `BadData`, or
    `NotAllowed` (a Hub set when offline).
    """
    source = find_source(spec.source)
    place = path or source.locate(spec.name, None)
    opened = source.open(Request(spec, place, offline, report))
    dataset = corrected(opened, parse_corrections(spec.corrections))
    window = Window(spec.window, spec.ground)
    return replace(dataset, window=window, most_pixels=most_pixels)


def parse(
    argument: str,
    shots: int = 16,
    seed: int = 0,
    **reading: Any,
) -> tuple[DataSpec, Path | None]:
    """What the command line means by DATA: a bundled name, `hf:ID`, a folder, a zip or a tar file
    ("./digits" is a folder). `reading` are fields of `DataSpec` that say how it is read.

    The path is where the files are, None for a set that has none. Raises `UnknownName` for a word
    that is none of these, `BadData` for a path that is not there or no dataset.
    """
    for source in sources().values():
        name = source.parse(argument)
        if name is not None:
            spec = DataSpec(source.name, name, shots, seed, **reading)
            return spec, source.locate(name, None)
    raise _not_a_dataset(argument)


def _not_a_dataset(argument: str) -> UnknownName | BadData:
    from .bundled import names

    path = expanded(argument)
    if is_file(path):
        with path.open("rb") as file:
            what = describe(file.read(1024))
        return BadData(
            f"{argument!r} is no dataset" + (f" but {what};" if what else ";"),
            "expected a bundled name, a folder, a .zip, a .tar or hf:OWNER/NAME.",
        )
    if len(path.parts) > 1 or path.suffix:
        return BadData(
            f"there is no file or folder {argument!r}.", f"Bundled sets: {', '.join(names())}."
        )
    return UnknownName("dataset", argument, names())
