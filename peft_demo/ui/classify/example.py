"""What a page shows before anything was done on it: a picture, and what an adapter says of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ...contracts.cards import Prediction, Sample, ZooEntry
from ...contracts.errors import PeftDemoError
from ...contracts.service import Answers, Zoo
from ...contracts.specs import RunSpec
from .answers import TOP
from .usable import ready


@dataclass(frozen=True)
class Example:
    picture: bytes
    prediction: Prediction


def example(zoo: Zoo, answers: Answers, preferred: str = "") -> Example | None:
    """The answer of the `preferred` adapter, or else of the first one, that has pictures of its own
    and can answer at once; None if there is none.

    It shows what the app does, so it is the first picture whose class the adapter finds, if it
    finds one at all; how often it does stands in its card. Asked once while the app starts, so that
    the first page finds all in memory.
    """
    adapters = sorted(_with_pictures(zoo), key=lambda adapter: adapter != preferred)
    for adapter in adapters:
        try:
            if shown := _example_of(zoo, answers, adapter):
                return shown
        except PeftDemoError:
            continue
    return None


def _example_of(zoo: Zoo, answers: Answers, adapter: str) -> Example | None:
    """The first picture that is answered rightly, else the first of all."""
    first = None
    for sample in samples_of(zoo, adapter):
        (prediction,) = answers.classify(sample.picture, [adapter], TOP)
        shown = Example(sample.picture, prediction)
        if prediction.label == sample.label and not prediction.is_none:
            return shown
        first = first or shown
    return first


def first_adapter(zoo: Zoo) -> str | None:
    """The adapter that `example` asks first: the one a page opens with. No
    picture is drawn for it.
    """
    return next(_with_pictures(zoo), None)


def samples_of(zoo: Zoo, adapter: str) -> Sequence[Sample]:
    """Pictures to try an adapter on; one whose card tells nothing of its data has none."""
    try:
        return zoo.samples(adapter)
    except PeftDemoError:
        return ()


def _with_pictures(zoo: Zoo) -> Iterator[str]:
    return (entry.id for entry in best_first(zoo) if _has_samples(entry))


def _has_samples(entry: ZooEntry) -> bool:
    """Whether the adapter was trained on a bundled set; no picture is drawn to find out."""
    if entry.card is None:
        return False
    try:
        return RunSpec.from_json(entry.card.spec).data.source == "bundled"
    except PeftDemoError:
        return False


def best_first(zoo: Zoo) -> list[ZooEntry]:
    """Adapters that can answer at once: people's own, then those that come with the project, by
    test accuracy.
    """
    return sorted(ready(zoo), key=_rank)


def _rank(entry: ZooEntry) -> tuple[bool, float]:
    accuracy = entry.card.test_accuracy if entry.card else None
    return entry.shipped, -(accuracy or 0.0)
