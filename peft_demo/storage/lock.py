"""One at a time: a lock on a folder, for threads and processes alike.

The system lets go of it when its holder dies, however it dies, so nobody has to clean up a lock.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from ..contracts.errors import Busy
from .atomic import disk_errors

PATIENCE_S = 60.0
"""Seconds to wait for a folder that somebody else is changing; a change takes far less."""
LOCK = ".lock"
"""The file in the folder that is locked. It stays there, empty."""


@contextmanager
def locked(
    folder: Path, patience_s: float = PATIENCE_S, busy: str = "somebody else is using it"
) -> Iterator[None]:
    """Nobody else who asks this way uses `folder` meanwhile; the folder is made if need be.

    Raises `Busy`, with the words `busy`, after `patience_s` seconds, and `CannotWrite` where the
    folder may not be written. A thread must not ask again while it holds the lock.
    """
    lock = FileLock(folder / LOCK)
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=patience_s)
        except Timeout:
            raise Busy(f"{folder.name}: {busy}.", "Try again when it has ended.") from None
    try:
        yield
    finally:
        lock.release()
