"""Where a person's files live, and how they are written: whole or not at all."""

import errno
import os
import re
import shutil
import sys
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import time
from uuid import uuid4

from .. import files
from ..contracts.errors import CannotWrite

DAY = 86_400.0
"""Seconds."""


@dataclass(frozen=True)
class Home:
    """The folders under PEFT_DEMO_HOME. Each appears when something is first written into it."""

    root: Path
    zoo: Path

    @property
    def runs(self) -> Path:
        return self.root / "runs"

    @property
    def trash(self) -> Path:
        return self.root / "trash"

    @property
    def drafts(self) -> Path:
        return self.root / "drafts"

    @property
    def uploads(self) -> Path:
        return self.root / "uploads"

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"


def find(root: Path | str | None = None, zoo: Path | str | None = None) -> Home:
    """The home at `root`, else at PEFT_DEMO_HOME, else in the platform's user data folder."""
    root = Path(root or os.environ.get("PEFT_DEMO_HOME") or _user_data() / "peft-demo").expanduser().absolute()
    return Home(root, Path(zoo).expanduser().absolute() if zoo else root / "zoo")


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turns what the system says of a full disk or a forbidden folder into a sentence about `path`."""
    try:
        yield
    except OSError as trouble:
        raise _sentence(path, trouble) from trouble


def _sentence(path: Path, trouble: OSError) -> CannotWrite:
    if trouble.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotWrite(f"the disk is full: {path.name} could not be written.", "Free some space and try again.")
    if trouble.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        hint = "Choose another folder with PEFT_DEMO_HOME or --zoo."
        return CannotWrite(f"{path.name} could not be written: its folder is read-only.", hint)
    reason = trouble.strerror or type(trouble).__name__
    return CannotWrite(f"{path.name} could not be written ({reason}).", "Is the folder still there?")


def write(path: Path, content: bytes) -> None:
    """`path` holds exactly `content` afterwards, or what it held before; never half of it. `CannotWrite` if not."""
    with landing(path) as draft, open(draft, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def copy(source: Path, path: Path) -> None:
    """As `write`, with the content of the file `source`."""
    with landing(path) as draft:
        shutil.copyfile(source, draft)


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """A new folder with these files stands at `path`, or nothing; `CannotWrite` if something is there already."""
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CannotWrite(f"{path.name} is there already and is left as it is.", "Name a folder that is new or empty.")
    draft = path.with_name(f".{uuid4().hex}.tmp")
    with writing(path):
        draft.mkdir(parents=True)
        try:
            for name, content in files.items():
                (draft / name).write_bytes(content)
            if path.exists():
                path.rmdir()
            os.replace(draft, path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


@contextmanager
def landing(path: Path) -> Iterator[Path]:
    """As `files.landing`, with `CannotWrite` for what the system says."""
    with writing(path), files.landing(path) as draft:
        yield draft


def move(source: Path, folder: Path) -> Path:
    """Moves a file into `folder` under a name that is free there; its new place."""
    target = folder / (free(source.stem, (p.stem for p in folder.glob("*"))) + source.suffix)
    with writing(target):
        folder.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)
    return target


def slug(text: str, fallback: str = "adapter") -> str:
    """`text` as a file name anywhere: [a-z0-9-], 1 to 48 characters."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only)[:48].strip("-") or fallback


def free(name: str, taken: Iterable[str]) -> str:
    """`name`, or the first of name-2, name-3, ... that is not taken (at most 48 characters)."""
    taken, number, candidate = {t.lower() for t in taken}, 1, name
    while candidate in taken:
        number += 1
        candidate = f"{name[: 47 - len(str(number))].rstrip('-')}-{number}"
    return candidate


def sweep(folder: Path, days: float, keep: Collection[str] = ()) -> None:
    """Removes what has stood in `folder` untouched for longer than `days`, but nothing called as in `keep`."""
    for path in folder.glob("*"):
        with suppress(OSError):
            if path.name not in keep and time() - path.stat().st_mtime > days * DAY:
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def size(folder: Path) -> int:
    """Bytes of all files under `folder`."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total
