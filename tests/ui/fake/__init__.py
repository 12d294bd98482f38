"""A `Service` that trains nothing and replays a scripted run, so that the page is tested without
torch.
"""

from pathlib import Path

from peft_demo.contracts.service import Service

from .comparisons import FakeComparisons
from .data import FakeData
from .examples import DIGITS, EVIL, METHODS, SHA, card, finished, picture, script
from .training import FakeTraining
from .zoo import FakeAnswers, FakeHub, FakeZoo

__all__ = ["DIGITS", "EVIL", "METHODS", "SHA", "Fake", "card", "finished", "picture", "script"]


class Fake:
    """The whole service. `pace` is the seconds that a run takes; 0 means it is over at once."""

    def __init__(
        self, home: Path, pace: float = 0.0, offline: bool = True, allow_local_paths: bool = False
    ):
        home.mkdir(parents=True, exist_ok=True)
        self.offline = offline
        self.allow_local_paths = allow_local_paths
        self.data = FakeData(home)
        self.training = FakeTraining(pace)
        self.comparisons = FakeComparisons()
        self.zoo = FakeZoo(home)
        self.hub = FakeHub(self.zoo, offline)
        self.answers = FakeAnswers(self.zoo)

    def close(self) -> None:
        """Nothing is running that could be stopped."""


def _is_a_service(fake: Fake) -> Service:
    """For the type checker."""
    return fake
