"""What a page shows before anything was done on it: a picture, and what an adapter says of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..contracts.cards import Prediction, ZooEntry
from ..contracts.errors import PeftDemoError
from ..contracts.service import Service
from ..contracts.specs import RunSpec
from .answers import TOP
from .ask_all import ready


@dataclass(frozen=True)
class Example:
    picture: bytes
    said: Prediction


def example(service: Service) -> Example | None:
    """The answer of the first adapter that has pictures of its own and can answer at once; None if there is none.

    It shows what the app does, so it is the first picture whose class the adapter finds, if it finds one at all; how
    often it does stands in its card. Asked once while the app starts, so that the first page finds all in memory.
    """
    for id in _with_pictures(service):
        try:
            if found := _shown(service, id):
                return found
        except PeftDemoError:
            continue
    return None


def _shown(service: Service, id: str) -> Example | None:
    """The first picture that is answered rightly, else the first of all."""
    earlier = None
    for name, picture in samples(service, id):
        found = Example(picture, *service.answers.classify(picture, [id], TOP))
        if found.said.label == name:
            return found
        earlier = earlier or found
    return earlier


def first(service: Service) -> str | None:
    """The adapter that `example` asks first: the one a page opens with. No picture is drawn for it."""
    return next(_with_pictures(service), None)


def samples(service: Service, adapter: str) -> Sequence[tuple[str, bytes]]:
    """(class, picture) to try an adapter on; one whose card tells nothing of its data has none."""
    try:
        return service.zoo.samples(adapter)
    except PeftDemoError:
        return ()


def _with_pictures(service: Service) -> Iterator[str]:
    return (e.id for e in _best_first(service) if _of_a_bundled_set(e))


def _of_a_bundled_set(entry: ZooEntry) -> bool:
    """Whether it has samples, without drawing them."""
    try:
        return RunSpec.from_json(entry.card.spec).data.source == "bundled"
    except PeftDemoError:
        return False


def _best_first(service: Service) -> list[ZooEntry]:
    """Adapters that can answer at once: people's own, then those that come with the project, each by test accuracy."""
    here = ready(service)
    entries = [e for e in service.zoo.entries() if e.id in here]
    return sorted(entries, key=lambda e: (e.shipped, -(e.card.test_accuracy or 0.0)))
