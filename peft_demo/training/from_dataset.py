"""A run from its dataset on: choose the images, say what is notable about them, train."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Protocol

from ..adapters import AdapterFile
from ..contracts.errors import BadData
from ..contracts.events import Event, Noticed
from ..contracts.progress import Report
from ..contracts.specs import RunSpec
from ..data import Dataset, split
from ..data.few_shot_tensors import FewShotTensors, few_shot_tensors
from ..vit import Backbone
from .memory import check_images
from .origin import also_seen, without_seen
from .run import train


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
        origin: AdapterFile | None = None,
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
    origin: AdapterFile | None = None,
) -> Iterator[Event]:
    """A Noticed for each notice of the few-shot split that `run` asks for, then the events of
    `trainer`, which goes on from `state` if there is one. The pictures are read within `turn`. Test
    images that the `origin` has seen are left out.

    `BadData` says why the dataset cannot be trained on, `TrainingFailed` that its pictures do not
    fit into `memory_share` of the free memory.
    """
    with turn or nullcontext():
        chosen = split(dataset, run.data.shots, run.data.seed, report)
        if chosen.problem:
            raise BadData(chosen.problem)
        images = len(chosen.train) + len(chosen.val) + len(chosen.test)
        check_images(images, backbone.size, memory_share)
        fresh = without_seen(chosen, origin) if origin else chosen
        material = few_shot_tensors(fresh, backbone.size, report)
    if origin:
        material = also_seen(material, origin)
        material = replace(material, fingerprint=chosen.fingerprint)
    for text in fresh.notices:
        yield Noticed("info", text)
    yield from trainer(run, backbone, material, stop, state=state, origin=origin)
