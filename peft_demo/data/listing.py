"""What lies in a folder or a zip, before anybody asks which part of it is a dataset."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import BinaryIO
from unicodedata import normalize

from ..contracts.errors import BadData

MAX_FILES = 50_000
"""More files than this are not looked at."""

_JUNK = {"__macosx", "thumbs.db", "desktop.ini"}


@dataclass(frozen=True)
class File:
    """A file that may be a picture. `parts` is where it lies below the folder or in the zip."""

    parts: tuple[str, ...]
    open: Callable[[], AbstractContextManager[BinaryIO]]
    read: Callable[[], bytes]
    """All of it. Raises `BadImage`, as `open` may (or an `OSError`)."""


@dataclass
class Listing:
    """Filled by `folder.listing` and `archive.listing`, read by `layout.arrange`."""

    files: list[File] = field(default_factory=list)
    empty: list[tuple[str, ...]] = field(default_factory=list)
    """Folders that hold nothing: a class may be named and still have no picture."""
    rejected: list[tuple[tuple[str, ...], str]] = field(default_factory=list)

    def reject(self, parts: tuple[str, ...], reason: str) -> None:
        self.rejected.append((parts, reason))


def is_junk(parts: tuple[str, ...]) -> bool:
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
