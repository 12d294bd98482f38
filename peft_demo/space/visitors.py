"""A studio for each visitor: they see the shipped adapters and their own, and nobody else's images or runs."""

from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from threading import Lock

from .. import training
from ..contracts.errors import CannotWrite
from ..contracts.specs import RunSpec
from ..studio import Studio
from ..studio.home import find as find_home
from ..studio.home import size, sweep
from ..studio.shelf import Shelf
from ..vit.load import best_device
from .turns import HINT, Turns
from .who import who

KEPT = 64
"""Studios in memory. Whoever comes back after more than that many others finds their files again on disk."""
DAYS = 1.0
"""How long the files of a visitor stay after that."""
QUOTA = 1_000_000_000
"""Bytes on disk at which a visitor may add no more."""
FILLING = ("keep_upload", "draft_put", "import_adapter", "pull")
"""Questions that put files there, beside `start`."""


class Visitors:
    """The `contracts.service.Service` of a Space. Every question goes to the studio of the visitor who asks it; all
    share the backbones in memory and take turns in training."""

    def __init__(self, train: training.Trainer = training.train, device: str = "", offline: bool = False, **studio):
        self.home = find_home()
        self._turns = Turns(train)
        device = device or best_device()
        shelf = Shelf(self.home.root, device, offline)
        self._about = {"device": device, "offline": offline, "shelf": shelf, "train": self._turns, "shared": True}
        self._about |= studio
        self._studios: OrderedDict[str, Studio] = OrderedDict()
        self._lock, self._door = Lock(), Lock()
        self._sweep()

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._with_room() if name in FILLING else self._mine(), name)

    def start(self, run: RunSpec, owner: str = "") -> str:
        """As the contract says, within the Space's limits."""
        studio = self._with_room()
        with self._door:  # one at a time, so that a burst does not pass the check together
            self._turns.check(run, sum(each.busy for each in list(self._studios.values())))
            return studio.start(run, owner)

    def close(self) -> None:
        """Stops all runs, keeping their best."""
        for studio in list(self._studios.values()):
            studio.close()

    def _mine(self) -> Studio:
        id = who()
        with self._lock:
            if id not in self._studios:
                self._forget()
                self._studios[id] = Studio(self._folder(id), mark=id[:8], **self._about)
            self._studios.move_to_end(id)
            return self._studios[id]

    def _forget(self) -> None:
        """Makes room for one more: whoever has been away longest goes, but nobody who trains."""
        idle = [id for id, studio in self._studios.items() if not studio.busy]
        for id in idle[: max(0, len(self._studios) - KEPT + 1)]:
            del self._studios[id]
            with suppress(OSError):
                self._folder(id).touch()  # the day starts now
        self._sweep()

    def _sweep(self) -> None:
        """Removes the files of whoever has been away for a day."""
        sweep(self.home.root / "visitors", DAYS, keep=self._studios)

    def _with_room(self) -> Studio:
        """The visitor's studio; `CannotWrite` if what it holds on disk has reached the quota."""
        studio = self._mine()
        if size(studio.home.root) >= QUOTA:
            raise CannotWrite(f"this Space keeps {QUOTA / 1e6:.0f} MB for each visitor, and yours are used up.", HINT)
        return studio

    def _folder(self, id: str) -> Path:
        return self.home.root / "visitors" / id
