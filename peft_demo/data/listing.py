"""What lies in a folder or a zip, before anybody asks which part of it is a dataset."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO
from unicodedata import normalize

from ..contracts.errors import BadData

Parts = tuple[str, ...]
"""Where a file or folder lies below the dataset's root: the names on the way to it."""

MAX_FILES = 50_000
"""More files than this are not looked at."""

_JUNK = {"__macosx", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class File:
    """A file that may be a picture."""

    parts: Parts
    open: Callable[[], AbstractContextManager[BinaryIO]]
    read: Callable[[], bytes]
    """All of it. Raises `BadImage`, as `open` may (or an `OSError`)."""


@dataclass
class Listing:
    """Filled by `sources.folder` and `sources.zip`, read by `layout.arrange`."""

    files: list[File] = field(default_factory=list)
    empty: list[Parts] = field(default_factory=list)
    """Folders that hold nothing: a class may be named and still have no picture."""
    rejected: list[tuple[Parts, str]] = field(default_factory=list)
    """(place, reason)"""

    def reject(self, parts: Parts, reason: str) -> None:
        """Leaves out what lies at `parts`."""
        self.rejected.append((parts, reason))


def is_junk(parts: Parts) -> bool:
    """Whether this is what operating systems leave behind: dot files, `__MACOSX`, `Thumbs.db`, `desktop.ini`."""
    return any((part.startswith(".") and part != "..") or part.lower() in _JUNK for part in parts)


def clean(part: str) -> str:
    """A file or folder name as it may be shown: one Unicode form (a Mac writes é as two characters), printable."""
    name = normalize("NFC", part.encode("utf-8", "replace").decode("utf-8")).strip()
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)[:255]


def check_count(files: int, where: str) -> None:
    """`BadData` if there are more files than anybody wants to wait for."""
    if files > MAX_FILES:
        raise BadData(
            f"{where} holds more than {MAX_FILES} files.",
            "Choose a smaller folder, or take a part of it.",
        )
