"""A studio for each visitor of a Space.

They see the shipped adapters and their own, and nobody else's images or runs.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any, cast

from .. import training
from ..contracts.service import Answers, Data, Hub, Training, Zoo
from ..contracts.specs import RunSpec
from ..storage.home import Home, find_home, sweep
from ..studio import Studio
from ..studio.adapter_store import SHIPPED
from ..studio.backbone_cache import BackboneCache
from ..studio.comparison import Comparisons
from ..studio.datasets import Datasets
from ..studio.limits import Limits
from ..vit.backbone import best_device
from .line import Line
from .training_queue import TrainingQueue
from .visitor_id import visitor_id

KEPT = 64
"""Studios in memory. Whoever comes back after that many others finds their files on disk again."""
DAYS = 1.0
"""How long the files of a visitor stay after that."""
QUOTA = 1_000_000_000
"""Bytes on disk at which a visitor may add no more."""
LIMITS = Limits(pixels=5_000_000_000, memory_share=0.5)
"""Four hundred phone photos in a dataset or request. Others need memory, too."""
_TRAIN = partial(training.train, memory_share=LIMITS.memory_share)


class _Part:
    """One part of the service, which a page may keep: whatever is asked of it, the asking visitor's
    own part answers.
    """

    def __init__(self, own: Callable[[], object]):
        self._own = own

    def __getattr__(self, name: str) -> Any:
        return getattr(self._own(), name)


class Visitors:
    """The `contracts.service.Service` of a Space.

    Every question goes to the studio of the visitor who asks it. All share the backbones in memory
    and take turns in training, and in reading the pictures of a dataset.
    """

    def __init__(
        self,
        train: training.Trainer = _TRAIN,
        device: str = "",
        offline: bool = False,
        shipped: Path = SHIPPED,
    ):
        self.home = find_home()
        self._turns = TrainingQueue(train)
        self._readers = Line()
        self._device = device or best_device()
        self._offline = offline
        self._shipped = shipped
        self._backbones = BackboneCache(self.home.root, self._device, offline)
        self._studios: OrderedDict[str, Studio] = OrderedDict()
        self._lock = Lock()
        self._door = Lock()
        self.data = cast(Data, _Part(lambda: self._mine().data))
        self.training = cast(Training, _Part(lambda: self._mine().training))
        self.comparisons = Comparisons(
            self.home,
            Datasets(self.home, offline, allow_local_paths=False),
            device=self._device,
            offline=offline,
            starts=False,
        )
        """Those that whoever set the Space up has put into its home, to look at."""
        self.zoo = cast(Zoo, _Part(lambda: self._mine().zoo))
        self.hub = cast(Hub, _Part(lambda: self._mine().hub))
        self.answers = cast(Answers, _Part(lambda: self._mine().answers))
        self._sweep()

    @property
    def offline(self) -> bool:
        return self._mine().offline

    @property
    def allow_local_paths(self) -> bool:
        return self._mine().allow_local_paths

    @contextmanager
    def _admit(self, run: RunSpec) -> Iterator[None]:
        """Lets runs start one at a time, so that a burst does not pass the check together."""
        with self._door:
            busy = sum(studio.training.busy for studio in list(self._studios.values()))
            self._turns.check(run, busy)
            yield

    def close(self) -> None:
        """Stops all runs, keeping their best."""
        for studio in list(self._studios.values()):
            studio.close()

    def _mine(self) -> Studio:
        id = visitor_id()
        with self._lock:
            if id not in self._studios:
                self._forget()
                self._studios[id] = self._open(id)
            self._studios.move_to_end(id)
            return self._studios[id]

    def _open(self, id: str) -> Studio:
        return Studio(
            self._home_of(id),
            offline=self._offline,
            device=self._device,
            shared=True,
            shipped=self._shipped,
            backbones=self._backbones,
            train=self._turns,
            mark=id[:8],
            admit=self._admit,
            limits=LIMITS,
            turn=self._readers.turn,
            queues=False,  # visitors take turns, and each has one run at a time
        )

    def _forget(self) -> None:
        """Makes room for one more: whoever has been away longest goes, but nobody who trains."""
        idle = [id for id, studio in self._studios.items() if not studio.training.busy]
        surplus = max(0, len(self._studios) - KEPT + 1)
        for id in idle[:surplus]:
            del self._studios[id]
            with suppress(OSError):
                self._folder(id).touch()  # the day starts now
        self._sweep()

    def _sweep(self) -> None:
        """Removes the files of whoever has been away for a day."""
        ids = r"[0-9a-f]{32}"
        sweep(self.home.root / "visitors", DAYS, names=ids, keep=self._studios)

    def _home_of(self, id: str) -> Home:
        folder = self._folder(id)
        return Home(folder, folder / "zoo", QUOTA)

    def _folder(self, id: str) -> Path:
        return self.home.root / "visitors" / id
