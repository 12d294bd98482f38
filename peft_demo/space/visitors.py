"""A studio for each visitor: they see the shipped adapters and their own, and nobody else's images or runs."""

from collections import OrderedDict
from threading import Lock

from .. import training
from ..contracts.specs import RunSpec
from ..studio import Studio, Trainer
from ..studio.home import find as find_home
from ..studio.shelf import Shelf
from ..vit.load import best_device
from .turns import Turns
from .who import who

KEPT = 64
"""Studios in memory. Whoever comes back after more than that many others finds their files again on disk."""


class Visitors:
    """The `contracts.service.Service` of a Space. Every question goes to the studio of the visitor who asks it; all
    share the backbones in memory and take turns in training."""

    def __init__(self, train: Trainer = training.train, device: str = "", offline: bool = False, **studio):
        self.home = find_home()
        self._turns = Turns(train)
        device = device or best_device()
        shelf = Shelf(self.home.root, device, offline)
        self._about = {"device": device, "offline": offline, "shelf": shelf, "train": self._turns, "shared": True}
        self._about |= studio
        self._studios: OrderedDict[str, Studio] = OrderedDict()
        self._lock = Lock()

    def __getattr__(self, name: str):
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._mine(), name)

    def start(self, run: RunSpec, owner: str = "") -> str:
        """As the contract says, within the Space's limits."""
        self._turns.check(run)
        return self._mine().start(run, owner)

    def close(self) -> None:
        """Stops all runs, keeping their best."""
        for studio in list(self._studios.values()):
            studio.close()

    def _mine(self) -> Studio:
        id = who()
        with self._lock:
            if id not in self._studios:
                self._forget()
                self._studios[id] = Studio(self.home.root / "visitors" / id, mark=id[:8], **self._about)
            self._studios.move_to_end(id)
            return self._studios[id]

    def _forget(self) -> None:
        """Makes room for one more: whoever has been away longest goes, but nobody who trains."""
        idle = [id for id, studio in self._studios.items() if not studio.busy]
        for id in idle[: max(0, len(self._studios) - KEPT + 1)]:
            del self._studios[id]
