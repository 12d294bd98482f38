"""The files of a set by what they are: pictures, tables, and what cannot be used."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from ..contracts.errors import BadData, BadImage
from ..contracts.progress import Report
from ..storage.paths import expanded, is_file
from .formats import INTENDED, OTHERS, PICTURES, TABLES, suffix
from .images import open_header, size_refusal
from .listing import File, Listing, Parts
from .names import listed, plural
from .tables import table_files

HEADERS = 5_000
"""Up to so many files are opened to see whether they are pictures; of larger sets only those that
are chosen."""
_FEW = 20
"""Up to so many files of one suffix that are no pictures are listed one by one."""


@dataclass
class SortedFiles:
    """The files of a set by what they are."""

    pictures: list[File] = field(default_factory=list)
    tables: list[File] = field(default_factory=list)
    others: list[File] = field(default_factory=list)
    """Files that are no pictures by their names: tables, texts, videos."""
    claimed: list[Parts] = field(default_factory=list)
    """Files that were meant as pictures and cannot be read: their folders may be classes all the
    same."""
    rejected: list[tuple[Parts, str]] = field(default_factory=list)
    """(place, reason)"""
    notices: list[str] = field(default_factory=list)


def sort_files(listing: Listing, report: Report | None = None) -> SortedFiles:
    """Sorts by suffix; the header of a file is read where its suffix does not tell, and in sets of
    `HEADERS` files."""
    files = SortedFiles(tables=table_files(listing.files), rejected=list(listing.rejected))
    look: list[File] = []
    for file in listing.files:
        kind = suffix(file.parts[-1])
        if kind in TABLES or kind in OTHERS:
            files.others.append(file)
        elif reason := size_refusal(file.size):
            _reject(file, reason, files)
        elif kind in PICTURES and len(listing.files) > HEADERS:
            files.pictures.append(file)
        else:
            look.append(file)
    for number, file in enumerate(look):
        if report and number % 100 == 0:
            report("looking at the pictures", number / len(look))
        _look(file, files)
    files.pictures.sort(key=lambda file: file.parts)
    _leave_companions_out(files)
    _reject_others(files)
    return files


def _look(file: File, files: SortedFiles) -> None:
    try:
        with file.open() as stream:
            open_header(stream)
    except BadImage as error:
        _reject(file, error.sentence, files)
    except OSError as error:
        _reject(file, f"cannot be read ({error.strerror}).", files)
    else:
        files.pictures.append(file)


def _reject(file: File, reason: str, files: SortedFiles) -> None:
    files.rejected.append((file.parts, reason))
    if suffix(file.parts[-1]) in PICTURES | INTENDED:
        files.claimed.append(file.parts)


def _leave_companions_out(files: SortedFiles) -> None:
    """Leaves out `cat_mask.png` and `cat-150x150.png` beside `cat.png`: the same picture once
    more."""
    stems = {(*file.parts[:-1], _stem(file)) for file in files.pictures}
    companions = set()
    for file in files.pictures:
        match = _COMPANION.fullmatch(_stem(file))
        if match and (*file.parts[:-1], match[1]) in stems:
            companions.add(file.parts)
    if companions:
        files.pictures = [file for file in files.pictures if file.parts not in companions]
        shown = listed(parts[-1] for parts in companions)
        files.notices.append(
            f"{plural(len(companions), 'picture')} left out as a mask or thumbnail of the one "
            f"beside it: {shown}."
        )


def _stem(file: File) -> str:
    return file.parts[-1].rpartition(".")[0]


_COMPANION = re.compile(
    r"(.+?)[ _-]+(?:\d+x\d+|"
    r"(?:mask|masks|seg|segmentation|matte|trimap|thumb|thumbnail|preview)(?:[ _-]?\d+)?)",
    re.IGNORECASE,
)


def _reject_others(files: SortedFiles) -> None:
    """Names what is no picture, many files of a kind in one sentence."""
    counts = Counter(suffix(file.parts[-1]) for file in files.others)
    for file in files.others:
        kind = suffix(file.parts[-1])
        if counts[kind] <= _FEW:
            files.rejected.append((file.parts, _NO_PICTURE.get(kind, "this is not a picture.")))
    for kind, count in counts.items():
        if count > _FEW:
            files.notices.append(f"{count:,} files that end in {kind} are not pictures.")


_UNUSED = dict.fromkeys(TABLES - {".txt"}, "a table that is not used.")
_SPREADSHEET = "a spreadsheet; save it as CSV to use its labels."
_NO_PICTURE = {**_UNUSED, ".xls": _SPREADSHEET, ".xlsx": _SPREADSHEET, ".ods": _SPREADSHEET}
"""Suffix → what a file is instead of a picture."""


def named_table(word: str, tables: Sequence[File], beside: Path | None) -> File:
    """The table that a person named: one of the set, or, where the set lies on this machine, any
    file of it.

    Raises `BadData` if there is none.
    """
    wanted = tuple(part.lower() for part in word.replace("\\", "/").split("/") if part != ".")
    for file in tables:
        if tuple(part.lower() for part in file.parts[-len(wanted) :]) == wanted:
            return file
    if beside is not None:
        for path in (expanded(word), beside / word, beside.parent / word):
            if is_file(path):
                return _outside(path)
    known = listed(file.name for file in tables) if tables else "none"
    raise BadData(f"there is no table {wanted[-1]!r}.", f"Tables of the set: {known}.")


def tables_beside(place: Path) -> list[File]:
    """The tables next to the set on this machine."""
    try:
        paths = [path for path in place.resolve().parent.iterdir() if is_file(path)]
    except OSError:
        return []
    return table_files(_outside(path) for path in sorted(paths) if suffix(path.name) in TABLES)


def _outside(path: Path) -> File:
    return File((path.name,), path.stat().st_size, partial(path.open, "rb"))
