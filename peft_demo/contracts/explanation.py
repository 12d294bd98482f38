"""What in a picture an answer rests on: what it loses when a place is covered.

The loss is one of log-odds, ln(p / (1 - p)): a sure answer of 99.9 % that falls to 99 % loses 2.3,
as much as one that falls from 50 to 9 %.
"""

from dataclasses import dataclass
from typing import Any

from .text import percent

DECIDES = 0.05
"""Probability that an answer must lose by covering a place, for that place to decide."""


@dataclass(frozen=True)
class Explanation:
    """How an answer fares while one place of the picture after the other is covered."""

    adapter: str
    label: str
    """The answer: the likeliest class."""
    probability: float
    """Of the answer, while nothing is covered."""
    least: float
    """The same while the place is covered that costs it most."""
    drops: tuple[tuple[float, ...], ...]
    """Log-odds that it loses at each place, in rows from the top; below 0 where covering helps."""
    picture: bytes
    """PNG: what the adapter saw, in grey, and over it the drops in colour."""

    @property
    def decides(self) -> bool:
        """Whether there is a place without which the answer would be clearly less likely."""
        return self.probability - self.least >= DECIDES

    @property
    def words(self) -> str:
        """A sentence."""
        least = percent(self.least)
        if self.decides:
            before = percent(self.probability)
            return f"Covering one place takes {self.label} from {before} to {least}."
        return f"No single place decides: {self.label} keeps {least} or more."

    def to_json(self) -> dict[str, Any]:
        """Everything but the picture."""
        return {
            "adapter": self.adapter,
            "label": self.label,
            "probability": self.probability,
            "least": self.least,
            "drops": [list(row) for row in self.drops],
            "words": self.words,
        }
