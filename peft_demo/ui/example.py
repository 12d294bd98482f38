"""What a page shows before anything was done on it: a picture, and what an adapter says of it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..contracts.cards import Prediction
from ..contracts.errors import PeftDemoError
from ..contracts.service import Service
from .answers import TOP
from .every import ready


@dataclass(frozen=True)
class Example:
    picture: bytes
    said: Prediction


def example(service: Service) -> Example | None:
    """The answer of the first adapter that has a picture of its own and can answer at once; None if there is none.

    Asked once while the app starts, so that the first page finds everything in memory.
    """
    for id in _with_pictures(service):
        picture = samples(service, id)[0][1]
        try:
            return Example(picture, *service.classify(picture, [id], TOP))
        except PeftDemoError:
            continue
    return None


def first(service: Service) -> str | None:
    """The adapter that `example` asks first: the one a page opens with."""
    return next(_with_pictures(service), None)


def samples(service: Service, adapter: str) -> Sequence[tuple[str, bytes]]:
    """(class, picture) to try an adapter on; one whose card tells nothing of its data has none."""
    try:
        return service.samples(adapter)
    except PeftDemoError:
        return ()


def _with_pictures(service: Service) -> Iterator[str]:
    return (id for id in _best_first(service) if samples(service, id))


def _best_first(service: Service) -> list[str]:
    """Adapters that can answer at once: people's own, then those that come with the project, each by test accuracy."""
    here = ready(service)
    entries = [e for e in service.zoo() if e.id in here]
    return [e.id for e in sorted(entries, key=lambda e: (e.shipped, -(e.card.test_accuracy or 0.0)))]
