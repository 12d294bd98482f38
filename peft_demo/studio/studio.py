"""Everything a page or a command line may ask, composed of the parts of this room.

It is the one public face of the room.
"""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..data.sources.upload import KEY
from ..storage.atomic import sweep_drafts
from ..storage.home import Home, find_home, sweep
from .adapter_store import SHIPPED, AdapterStore
from .answers import Answers
from .backbone_cache import BackboneCache
from .comparison import Comparisons
from .datasets import Datasets, Turn, no_turn
from .hub import Hub
from .limits import ALONE, Limits
from .predictor import KEPT_BYTES, SHARED_BYTES, Predictor
from .training import Admit, Training
from .trash import Trash
from .zoo import Zoo

if TYPE_CHECKING:
    from ..training import Trainer

DRAFT_S = 3600.0
"""Seconds after which a file that is still being written was left by a process that was killed."""


class Studio:
    """The `contracts.service.Service` of this machine."""

    def __init__(
        self,
        home: Home | Path | str | None = None,
        zoo: Path | str | None = None,
        offline: bool = False,
        allow_local_paths: bool = False,
        device: str = "",
        shared: bool = False,
        shipped: Path = SHIPPED,
        backbones: BackboneCache | None = None,
        train: "Trainer | None" = None,
        mark: str = "",
        admit: Admit = nullcontext,
        limits: Limits = ALONE,
        turn: Turn = no_turn,
        queues: bool = True,
    ):
        """Opens a home and settles what a process that was killed has left in it.

        home: where files live; else PEFT_DEMO_HOME, else the user data folder
        zoo: where new adapters go; else in the home
        offline: nothing is looked up on the network
        allow_local_paths: datasets and adapters may be named by a path
        device: for torch; else the best there is
        shared: only the one who started a run may stop it, and nobody uses this machine's Hub token
        shipped: the read-only zoo that comes with the project
        backbones: a cache that several studios share
        train: what trains, where that is not this process
        mark: keeps the ids of the runs of several studios apart
        admit: may refuse a run before it starts
        limits: what one question may take of the machine
        turn: waits until this studio may read the pictures of a dataset
        queues: a run that is started while one goes on waits for it, else it is refused
        """
        self.home = home if isinstance(home, Home) else find_home(home, zoo)
        self.offline = offline or _offline_by_environment()
        self.allow_local_paths = allow_local_paths
        store = AdapterStore(self.home.zoo, Trash(self.home.trash), shipped)
        cache = backbones or BackboneCache(self.home.root, device, self.offline)
        predictor = Predictor(store, cache, SHARED_BYTES if shared else KEPT_BYTES)
        self.data = Datasets(self.home, self.offline, allow_local_paths, limits, turn)
        self.training = Training(
            self.home,
            store,
            cache,
            self.data,
            device=device,
            allow_local_paths=allow_local_paths,
            shared=shared,
            trainer=train,
            mark=mark,
            admit=admit,
            memory_share=limits.memory_share,
            queues=queues,
        )
        self.comparisons = Comparisons(
            self.home, self.data, device=device, offline=self.offline, shared=shared
        )
        self.zoo = Zoo(
            self.home,
            store,
            cache,
            self.data,
            predictor,
            self.training.held_out,
            self.training.data_of,
            offline=self.offline,
            allow_local_paths=allow_local_paths,
        )
        self.hub = Hub(self.home, self.zoo, offline=self.offline, shared=shared)
        self.answers = Answers(store, self.data, predictor, self.training.data_of)
        self._settle()

    def close(self) -> None:
        """Stops a run in progress, keeping its best, and a comparison, keeping its runs."""
        self.training.close()
        self.comparisons.close()

    def _settle(self) -> None:
        """Marks runs whose process died, and removes what was left or has stood too long."""
        self.training.settle()
        self.zoo.settle()
        sweep(self.home.drafts, days=7, names=r"[0-9a-f]{32}")  # ids of browsers
        sweep(self.home.uploads, days=30, names=KEY)
        sweep(self.home.tmp, days=7, names=r"[0-9a-f]{64}")  # folders that Gradio makes
        for folder in (self.home.uploads, self.home.backbones, self.home.trash):
            sweep_drafts(folder, seconds=DRAFT_S)


def _offline_by_environment() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
