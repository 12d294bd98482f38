"""A run from its dataset on: choose the images, say what is notable about them, train."""

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
"""(run, backbone, material, stop) → events, as `train` gives them."""


def run_from_dataset(
    run: RunSpec,
    backbone: Backbone,
    dataset: Dataset,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
    trainer: Trainer = train,
) -> Iterator[Event]:
    """A Noticed for each notice of the few-shot split that `run` asks for, then the events of
    `trainer`. `BadData` says why the dataset cannot be trained on."""
    chosen = split(dataset, run.data.shots, run.data.seed, report)
    if chosen.problem:
        raise BadData(chosen.problem)
    for text in chosen.notices:
        yield Noticed("info", text)
    material = few_shot_tensors(chosen, backbone.size, report)
    yield from trainer(run, backbone, material, stop)
