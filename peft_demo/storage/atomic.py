"""How files are written everywhere: whole or not at all.

What the system refuses becomes a sentence.
"""

import errno
import os
import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from time import time
from uuid import uuid4

from ..contracts.errors import CannotWrite
from .names import free_name


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """A hidden file beside `path` to write into.

    At the end it takes the place of `path`; on an error it disappears. Its name is unique, so two
    processes may write the same file at once; the last one counts. Raises `CannotWrite` for what
    the system refuses, and for a device or a pipe, which a file must not replace.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise CannotWrite(f"{path.name} is a device or a pipe.", "Name a file.")
    draft = _draft(path)
    with disk_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            yield draft
            os.replace(draft, path)
        finally:
            with suppress(OSError):
                draft.unlink(missing_ok=True)


def write_file(path: Path, content: bytes) -> None:
    """`path` holds exactly `content` afterwards, or what it held before; never half of it.

    Raises `CannotWrite`.
    """
    with atomic_write(path) as draft, open(draft, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def copy_file(source: Path, path: Path) -> None:
    """As `write_file`, with the content of the file `source`."""
    with atomic_write(path) as draft:
        shutil.copyfile(source, draft)


def write_folder(path: Path, files: Mapping[str, bytes]) -> None:
    """A new folder with these files stands at `path`, or nothing.

    Raises `CannotWrite` if there is a file or a folder that is not empty.
    """
    if path.exists() and (not path.is_dir() or any(path.iterdir())):
        raise CannotWrite(
            f"{path.name} is there already and is left as it is.",
            "Name a folder that is new or empty.",
        )
    draft = _draft(path)
    with disk_errors(path):
        draft.mkdir(parents=True)
        try:
            for name, content in files.items():
                (draft / name).write_bytes(content)
            if path.exists():
                path.rmdir()
            os.replace(draft, path)
        finally:
            shutil.rmtree(draft, ignore_errors=True)


def move_file(source: Path, folder: Path) -> Path:
    """Moves a file or a folder into `folder` under a name that is free there; its new place."""
    taken = (other.stem for other in folder.glob("*"))
    target = folder / (free_name(source.stem, taken) + source.suffix)
    move_file_to(source, target)
    return target


def move_file_to(source: Path, target: Path) -> None:
    """Moves a file to `target`, which must be free. Raises `CannotWrite`."""
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(source, target)


def sweep_drafts(folder: Path, seconds: float = 0.0) -> None:
    """Removes what a writer that was killed has left in `folder` more than `seconds` ago."""
    for path in folder.glob(".*.tmp"):
        if not _DRAFT.fullmatch(path.name):
            continue
        with suppress(OSError):
            if time() - path.stat().st_mtime < seconds:
                continue
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


@contextmanager
def disk_errors(path: Path) -> Iterator[None]:
    """Turns an `OSError` (a full disk, a read-only folder) into a `CannotWrite` about `path`."""
    try:
        yield
    except OSError as trouble:
        raise _sentence(path, trouble) from trouble


def _sentence(path: Path, trouble: OSError) -> CannotWrite:
    if trouble.errno in (errno.ENOSPC, errno.EDQUOT):
        return CannotWrite(
            f"the disk is full: {path.name} could not be written.",
            "Free some space and try again.",
        )
    if trouble.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return CannotWrite(
            f"{path.name} could not be written: its folder is read-only.",
            "Choose another folder with PEFT_DEMO_HOME or --zoo.",
        )
    reason = trouble.strerror or type(trouble).__name__
    return CannotWrite(
        f"{path.name} could not be written ({reason}).", "Is the folder still there?"
    )


_DRAFT = re.compile(r"\.[0-9a-f]{32}\.tmp")


def _draft(path: Path) -> Path:
    return path.with_name(f".{uuid4().hex}.tmp")
