"""Any run, with or without a search before it."""

from collections.abc import Callable, Generator, Iterator

from ..adapters import AdapterFile
from ..contracts.errors import CannotResume
from ..contracts.events import Event
from ..contracts.specs import RunSpec
from ..data.few_shot_tensors import FewShotTensors
from ..vit import Backbone
from .train import train as train_once
from .tune import Search


def train(
    run: RunSpec,
    backbone: Backbone,
    material: FewShotTensors,
    stop: Callable[[], bool] = lambda: False,
    memory_share: float = 1.0,
    *,
    state: bytes = b"",
    origin: AdapterFile | None = None,
) -> Generator[Event, None, None]:
    """As `train.train`, also for a run with `tune`, which searches first.

    Such a run tells `Tried` after each trial. Its steps are those of all trials together, and the
    adapter in Improved is the best of all so far. It has no checkpoints: interrupted, it begins
    again and tries the same. `BadValue` says that nothing is left to search, `BadData` that there
    are too few images for it.
    """

    def once(run: RunSpec, material: FewShotTensors, state: bytes = b"") -> Iterator[Event]:
        return train_once(run, backbone, material, stop, memory_share, state=state, origin=origin)

    if not run.tune:
        yield from once(run, material, state)
    elif state:
        raise CannotResume("a search does not go on in its middle.", "Start the run again.")
    else:
        yield from Search(run, backbone, material, once).events(stop)
