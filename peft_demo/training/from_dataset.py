"""A run from its dataset on: choose the images, say what is notable about them, train."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from ..contracts.errors import BadData
from ..contracts.events import Event, Noticed
from ..contracts.progress import Report
from ..contracts.specs import RunSpec
from ..data import Dataset, split
from ..data.few_shot_tensors import FewShotTensors, few_shot_tensors
from ..vit import Backbone
from .memory import check_images
from .train import train


class Trainer(Protocol):
    """`train`, or what stands in for it on another machine."""

    def __call__(
        self,
        run: RunSpec,
        backbone: Backbone,
        material: FewShotTensors,
        stop: Callable[[], bool],
        *,
        state: bytes = b"",
    ) -> Iterator[Event]: ...


def run_from_dataset(
    run: RunSpec,
    backbone: Backbone,
    dataset: Dataset,
    report: Report | None = None,
    stop: Callable[[], bool] = lambda: False,
    *,
    trainer: Trainer = train,
    turn: AbstractContextManager | None = None,
    memory_share: float = 1.0,
    state: bytes = b"",
) -> Iterator[Event]:
    """A Noticed for each notice of the few-shot split that `run` asks for, then the events of
    `trainer`, which goes on from `state` if there is one. The pictures are read within `turn`.

    `BadData` says why the dataset cannot be trained on, `TrainingFailed` that its pictures do not
    fit into `memory_share` of the free memory.
    """
    with turn or nullcontext():
        chosen = split(dataset, run.data.shots, run.data.seed, report)
        if chosen.problem:
            raise BadData(chosen.problem)
        images = len(chosen.train) + len(chosen.val) + len(chosen.test)
        check_images(images, backbone.size, memory_share)
        material = few_shot_tensors(chosen, backbone.size, report)
    for text in chosen.notices:
        yield Noticed("info", text)
    yield from trainer(run, backbone, material, stop, state=state)
