"""How an adapter fares when what it adds is scaled."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .accuracy import in_words

MOST = 1.5
STEPS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.25, MOST)
"""Strengths that are tried: 0 is the frozen backbone under the adapter's head, 1 the adapter."""


@dataclass(frozen=True)
class AtStrength:
    strength: float
    accuracy: float
    """From 0 to 1, on validation images."""
    images: int

    @property
    def words(self) -> str:
        return in_words(self.accuracy, self.images)

    def to_json(self) -> dict[str, Any]:
        return vars(self) | {"right": self.words}


def best(curve: Sequence[AtStrength]) -> AtStrength:
    """The most accurate; of several the one next to 1, as the adapter was trained."""
    return max(curve, key=lambda point: (point.accuracy, -abs(point.strength - 1)))
