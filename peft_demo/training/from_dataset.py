"""A run from its dataset on: choose the images, say what is notable about them, train."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, closing, nullcontext, suppress
from dataclasses import replace
from typing import Protocol

from ..adapters import AdapterFile
from ..contracts.errors import BadData, BadImage
from ..contracts.events import Event, Noticed
from ..contracts.held_out import HeldOut
from ..contracts.progress import Report
from ..contracts.specs import RunSpec
from ..data import Dataset, Split, decode, keepsake, split
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
    ) -> Generator[Event, None, None]: ...


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
) -> Generator[Event, None, None]:
    """A Noticed for each notice of the few-shot split that `run` asks for, then the events of
    `trainer`, which goes on from `state` if there is one; the held-out answers at the end get their
    pictures. The pictures of the split are read within `turn`. Test images that the `origin` has
    seen are left out.

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
    with closing(trainer(run, backbone, material, stop, state=state, origin=origin)) as events:
        for event in events:
            yield _with_pictures(event, fresh) if isinstance(event, HeldOut) else event


def _with_pictures(event: HeldOut, chosen: Split) -> HeldOut:
    """The event with the pictures of its answers; one that is there no longer leaves its answer
    out."""
    examples = chosen.test if event.part == "test" else chosen.val
    answers = []
    for answer in event.answers:
        with suppress(BadImage):
            picture = decode(examples[answer.image].read(), chosen.window)
            answers.append(replace(answer, picture=keepsake(picture)))
    return replace(event, answers=tuple(answers))
