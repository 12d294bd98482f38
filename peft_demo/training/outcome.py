"""What came of a trial of a search."""

from dataclasses import dataclass, replace

from ..contracts.events import Finished, Stopped
from ..contracts.held_out import HeldOut


@dataclass(frozen=True)
class Outcome:
    """What came of a trial, or of one round of it."""

    accuracy: float
    loss: float
    images: int
    """That it was judged on."""
    content: bytes
    """Its adapter file."""
    ending: Finished
    held_out: HeldOut | None = None
    """Its answers on validation images."""

    @property
    def stopped(self) -> bool:
        return isinstance(self.ending, Stopped)

    @property
    def rank(self) -> tuple[float, float]:
        """The higher, the better."""
        return self.accuracy, -self.loss


def joined(rounds: list[Outcome]) -> Outcome:
    """The rounds of a trial together: each image counts the same, the file is that of the first."""
    images = sum(outcome.images for outcome in rounds)
    return replace(
        rounds[0],
        accuracy=sum(outcome.accuracy * outcome.images for outcome in rounds) / images,
        loss=sum(outcome.loss * outcome.images for outcome in rounds) / images,
        images=images,
        ending=rounds[-1].ending,
    )
