"""A run from its dataset on: which images were chosen, what there is to say of them, then training."""

from collections.abc import Callable, Iterator

from ..contracts.errors import BadData
from ..contracts.events import Event, Noticed
from ..contracts.progress import Report
from ..contracts.specs import RunSpec
from ..data import Dataset, split
from ..data.few_shot_tensors import FewShotTensors, few_shot_tensors
from ..vit import Backbone
from .train import train

Trainer = Callable[[RunSpec, Backbone, FewShotTensors, Callable[[], bool]], Iterator[Event]]
"""(run, backbone, material, should it stop?) → the events of `train`."""


def run_from_dataset(
    run: RunSpec,
    backbone: Backbone,
    dataset: Dataset,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
    trainer: Trainer = train,
) -> Iterator[Event]:
    """A Noticed for each notice of the split that `run` asks for, then the events of `trainer`; `BadData` says why the
    dataset cannot be trained on."""
    chosen = split(dataset, run.data.shots, run.data.seed, report)
    if chosen.problem:
        raise BadData(chosen.problem)
    yield from (Noticed("info", text) for text in chosen.notices)
    yield from trainer(run, backbone, few_shot_tensors(chosen, backbone.size, report), stop)
