"""The trash: adapter files that were deleted and can still be had back."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ..contracts.cards import ZooEntry
from ..contracts.errors import UnknownName
from ..storage.atomic import move_file
from ..storage.lock import locked
from .entry import SUFFIX, read_entry


@dataclass(frozen=True)
class Trash:
    """The adapter files in a folder. Whatever else lies there is left alone."""

    folder: Path

    def put(self, file: Path) -> Path:
        """Moves a file in, under a name that is free here; where it lies then."""
        with locked(self.folder):
            return move_file(file, self.folder)

    def entries(self) -> Sequence[ZooEntry]:
        """Every adapter file, with its card or the refusal of a broken one."""
        return [read_entry(file, shipped=False) for file in self._files()]

    def path(self, name: str) -> Path:
        """The file of that name; `UnknownName`, whatever else the name may point at."""
        files = {file.stem: file for file in self._files()}
        if name not in files:
            raise UnknownName("adapter in the trash", name, files)
        return files[name]

    def empty(self) -> int:
        """Deletes every adapter file for good; how many."""
        deleted = 0
        with locked(self.folder):
            for file in self._files():
                with suppress(OSError):
                    file.unlink()
                    deleted += 1
        return deleted

    def _files(self) -> Sequence[Path]:
        return sorted(self.folder.glob(f"[!.]*{SUFFIX}"))
