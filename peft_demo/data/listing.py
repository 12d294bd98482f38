"""What lies in a folder or an archive, before anybody asks which part of it is a dataset."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import IO

from ..contracts.cards import Alternative
from ..contracts.errors import BadData, BadImage
from .encodings import LANGUAGES, check_encoding, detect, is_likely, others
from .names import clean, listed

Parts = tuple[str, ...]
"""Where a file or folder lies below the dataset's root: the names on the way to it."""

MAX_FILES = 1_000_000
"""More files than this are not looked at."""

_LITTER = {
    "__macosx", "thumbs.db", "ehthumbs.db", "desktop.ini", "@eadir", "@tmp", "@recycle", "#recycle",
    "#snapshot", "$recycle.bin", "recycler", "system volume information", "lost+found",
    "~snapshot", "__pycache__", ".ipynb_checkpoints", "@__thumb", "_gsdata_", "found.000",
    "network trash folder", "temporary items", "thevolumesettingsfolder", "onedrivetemp",
}  # fmt: skip
"""What systems, sync programs and NAS devices leave behind; names that begin with a dot are left
out too."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be a picture or a table."""

    parts: Parts
    size: int
    """Bytes."""
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    """Raises `BadImage` or an `OSError`."""
    mark: int = 0
    """A checksum that the archive keeps: files of equal size and mark are the same. 0 where there
    is none."""

    @property
    def name(self) -> str:
        """The whole place, with slashes."""
        return "/".join(self.parts)

    def read(self) -> bytes:
        """All of it. Raises `BadImage`."""
        try:
            with self.open() as stream:
                return stream.read()
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise BadImage(f"this file cannot be read ({reason}).") from None


@dataclass
class Listing:
    """Filled by the sources, read by `arrange`."""

    files: list[File] = field(default_factory=list)
    empty: list[Parts] = field(default_factory=list)
    """Folders that hold nothing."""
    hidden: list[Parts] = field(default_factory=list)
    """Folders whose names begin with a dot and that are not known to be litter."""
    rejected: list[tuple[Parts, str]] = field(default_factory=list)
    """(place, reason)"""
    notices: list[str] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    """Other ways to read the names."""

    def reject(self, parts: Parts, reason: str) -> None:
        """Leaves out what lies at `parts`."""
        self.rejected.append((parts, reason))


def is_litter(name: str) -> bool:
    """Whether a file or folder is what a program left behind: `__MACOSX`, `Thumbs.db`, `@eaDir`,
    dot files."""
    return name.lower() in _LITTER or (name.startswith(".") and name not in (".", ".."))


def is_hidden_folder(name: str) -> bool:
    """Whether a folder is only left out because its name begins with a dot: it may be a class,
    ".net"."""
    known = {".git", ".svn", ".hg", ".cache", ".dvc", ".venv", ".idea", ".vscode", ".thumbnails"}
    known |= {".trash", ".trashes", ".sync", ".stfolder", ".stversions", ".dropbox.cache", ".tmp"}
    return is_litter(name) and name.lower() not in _LITTER | known and not name.startswith("._")


def check_count(files: int, where: str) -> None:
    """`BadData` if there are more files than anybody wants to wait for."""
    if files > MAX_FILES:
        raise BadData(
            f"{where} holds more than {MAX_FILES} files.",
            "Choose a smaller folder, or take a part of it.",
        )


def with_readable_names(listing: Listing, encoding: str = "") -> Listing:
    """The listing with names that can be shown; a notice says how names that are no UTF-8 were
    read.

    Sources keep bytes that are no UTF-8 as lone surrogates (Python's "surrogateescape"). `encoding`
    is how to read them; empty: it is detected. Names that no encoding reads keep their bytes as
    escapes, so that two of them never become one.
    """
    places = [file.parts for file in listing.files]
    places += [*listing.empty, *listing.hidden, *(parts for parts, _ in listing.rejected)]
    names = {name for parts in places for name in parts}
    strange = {name: _raw(name) for name in names if not _is_unicode(name)}
    chosen = check_encoding(encoding) if encoding and strange else detect(strange.values())
    if (
        strange and chosen
    ):  # 猫 in GBK is è in UTF-8: beside names that are no UTF-8, it is none either
        beyond = {name: _raw(name) for name in names - strange.keys() if not name.isascii()}
        strange |= {name: raw for name, raw in beyond.items() if is_likely(raw, chosen)}
    shown = {name: clean(name) for name in names}
    shown |= {name: clean(_decoded(raw, chosen)) for name, raw in strange.items()}

    def settle(parts: Parts) -> Parts:
        return tuple(shown[name] for name in parts)

    return Listing(
        files=[replace(file, parts=settle(file.parts)) for file in listing.files],
        empty=[settle(parts) for parts in listing.empty],
        hidden=[settle(parts) for parts in listing.hidden],
        rejected=[(settle(parts), reason) for parts, reason in listing.rejected],
        notices=listing.notices
        + _encoding_notice(strange, shown, chosen)
        + _merge_notices(listing.files, shown),
        alternatives=_other_encodings(strange, chosen),
    )


def _is_unicode(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _raw(name: str) -> bytes:
    return name.encode("utf-8", "surrogateescape")


def _decoded(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding or "utf-8")
    except UnicodeDecodeError:
        return raw.decode("utf-8", "backslashreplace")


def _encoding_notice(strange: dict[str, bytes], shown: dict[str, str], chosen: str) -> list[str]:
    if not strange:
        return []
    names = listed({shown[name] for name in strange}, 4)
    if not chosen:
        return [f"Some names are in no known encoding and are shown by their bytes: {names}."]
    language = LANGUAGES.get(chosen)
    called = f"{chosen} ({language})" if language else chosen
    return [f"Names that are no UTF-8 were read as {called}: {names}."]


def _other_encodings(strange: dict[str, bytes], chosen: str) -> list[Alternative]:
    """Up to two other encodings that give letters."""
    further = others(strange.values(), chosen)[:2] if strange else []
    return [
        Alternative(_read_as(name, strange.values()), (("encoding", name),)) for name in further
    ]


def _read_as(encoding: str, raws: Iterable[bytes]) -> str:
    names = listed({clean(_decoded(raw, encoding)) for raw in raws}, 4)
    return f"names read as {LANGUAGES[encoding]}: {names}"


def _merge_notices(files: list[File], shown: dict[str, str]) -> list[str]:
    """Sentences about folders beside each other that look the same and are read as one."""
    folders: dict[Parts, set[Parts]] = {}
    for place in {file.parts[:-1] for file in files}:
        for depth in range(1, len(place) + 1):
            beside = (*place[: depth - 1], shown[place[depth - 1]])
            folders.setdefault(beside, set()).add(place[:depth])
    merged = {beside[-1]: places for beside, places in folders.items() if len(places) > 1}
    return [
        f"{len(places)} folders beside each other are called {name!r} (their names differ in "
        "spaces at the ends or in Unicode form only) and are read as one."
        for name, places in merged.items()
    ]
