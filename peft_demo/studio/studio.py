"""Everything a page or a command line may ask, answered by the rooms below. The one public face of this room."""

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from ..storage.home import Home, find_home, sweep
from ..vit.load import best_device
from .adapter_store import SHIPPED, AdapterStore
from .answers import Answers
from .backbone_cache import BackboneCache
from .datasets import Datasets
from .hub import Hub
from .predictor import KEPT_BYTES, SHARED_BYTES, Predictor
from .training import Admit, Training
from .zoo import Zoo

if TYPE_CHECKING:
    from ..training import Trainer


class Studio:
    """The `contracts.service.Service` of this machine: `data`, `training`, `zoo`, `hub` and `answers`.

    `home` is where files live (else PEFT_DEMO_HOME, else the user data folder), `zoo` where new adapters go (else in
    the home). `allow_local_paths` lets datasets and adapters be named by a path. With `shared`, only the one who
    started a run may stop it, and nobody uses the Hub token of this machine. Several studios may share one cache of
    `backbones`, and something else than this process may `train`; `mark` then keeps the ids of their runs apart. `admit` may refuse a run before it starts.
    """

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
    ):
        self.home = home if isinstance(home, Home) else find_home(home, zoo)
        self.offline = offline or _offline_by_environment()
        self.allow_local_paths = allow_local_paths
        device = device or best_device()
        store = AdapterStore(self.home.zoo, self.home.trash, shipped)
        backbones = backbones or BackboneCache(self.home.root, device, self.offline)
        predictor = Predictor(store, backbones, SHARED_BYTES if shared else KEPT_BYTES)
        self.data = Datasets(self.home, self.offline, allow_local_paths)
        self.training = Training(
            self.home,
            store,
            backbones,
            self.data,
            device=device,
            allow_local_paths=allow_local_paths,
            shared=shared,
            trainer=train,
            mark=mark,
            admit=admit,
        )
        self.zoo = Zoo(
            self.home,
            store,
            backbones,
            self.data,
            predictor,
            offline=self.offline,
            allow_local_paths=allow_local_paths,
        )
        self.hub = Hub(self.home, self.zoo, offline=self.offline, shared=shared)
        self.answers = Answers(store, self.data, predictor)
        self._settle()

    def close(self) -> None:
        """Stops a run in progress, keeping its best."""
        self.training.close()

    def _settle(self) -> None:
        """Marks runs whose process died, and removes what has stood too long."""
        self.training.settle()
        sweep(self.home.drafts, days=7)
        sweep(self.home.uploads, days=30)
        sweep(self.home.tmp, days=7)


def _offline_by_environment() -> bool:
    return os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
