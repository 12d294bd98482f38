"""Where a person's files live: the folders under PEFT_DEMO_HOME, and how much they may hold."""

import os
import re
import shutil
import sys
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import time

from ..contracts.errors import CannotWrite
from .paths import expanded

DAY = 86_400.0
"""Seconds."""


@dataclass(frozen=True)
class Home:
    """The folders under PEFT_DEMO_HOME. Each appears when something is first written into it."""

    root: Path
    zoo: Path
    quota: int | None = None
    """Bytes at which nothing more may be added; None is no limit."""

    def check_room(self) -> None:
        """Raises `CannotWrite` if what the folders hold has reached the quota.

        Whoever adds files asks this first.
        """
        if self.quota is not None and folder_size(self.root) >= self.quota:
            most = f"{self.quota / 1e6:.0f} MB"
            raise CannotWrite(
                f"at most {most} are kept here for each visitor, and yours are used up.",
                "On a machine of your own there is no such limit.",
            )

    @property
    def runs(self) -> Path:
        """One folder for each run, with its journal."""
        return self.root / "runs"

    @property
    def comparisons(self) -> Path:
        """One folder for each comparison, with the lines of its runs."""
        return self.root / "comparisons"

    @property
    def trash(self) -> Path:
        """Adapters that were deleted."""
        return self.root / "trash"

    @property
    def deleted_runs(self) -> Path:
        """Runs that were deleted, a folder each."""
        return self.trash / "runs"

    @property
    def backbones(self) -> Path:
        """Checkpoints that were registered."""
        return self.root / "backbones"

    @property
    def drafts(self) -> Path:
        """One folder for each browser, with its class cards."""
        return self.root / "drafts"

    @property
    def uploads(self) -> Path:
        """Zips that the page sent."""
        return self.root / "uploads"

    @property
    def tmp(self) -> Path:
        """What nobody misses later: downloads under way, copies that a page shows."""
        return self.root / "tmp"


def find_home(root: Path | str | None = None, zoo: Path | str | None = None) -> Home:
    """The home at `root`, else at PEFT_DEMO_HOME, else in the platform's user data folder."""
    chosen = root or os.environ.get("PEFT_DEMO_HOME") or _user_data() / "peft-demo"
    folder = expanded(chosen).absolute()
    adapters = expanded(zoo).absolute() if zoo else folder / "zoo"
    return Home(folder, adapters)


def _user_data() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")


def sweep(folder: Path, days: float, names: str, keep: Collection[str] = ()) -> None:
    """Removes what was last changed in `folder` more than `days` ago.

    Only names that match the pattern `names`, which are ours, and none of those in `keep`: a home
    may be a folder that holds other things.
    """
    for path in folder.glob("*"):
        if path.name in keep or not re.fullmatch(names, path.name):
            continue
        with suppress(OSError):
            if time() - path.stat().st_mtime > days * DAY:
                _remove(path)


def keep_newest(folder: Path, seconds: float, most: int) -> None:
    """Removes what was last changed in `folder` more than `seconds` ago, and the oldest of the rest
    while it has more than `most` bytes."""
    left = most
    for changed, path in sorted(_by_time(folder), reverse=True):
        left -= folder_size(path)
        if left < 0 or time() - changed > seconds:
            _remove(path)


def _by_time(folder: Path) -> Iterator[tuple[float, Path]]:
    for path in folder.glob("*"):
        with suppress(OSError):
            yield path.stat().st_mtime, path


def _remove(path: Path) -> None:
    with suppress(OSError):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


def folder_size(folder: Path) -> int:
    """Bytes of all files under `folder`, or of a file."""
    total = 0
    for path in [folder, *folder.rglob("*")]:
        with suppress(OSError):
            total += path.stat().st_size if path.is_file() else 0
    return total
