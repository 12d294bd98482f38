"""Two adapters on the same images: how far apart they are, and whether that could be chance.

Both meet the same easy and hard images, so only those count that one recognised and the other did
not: far fewer images tell two adapters apart than two intervals that must not overlap.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from math import comb, sqrt
from typing import Any

from .accuracy import Z


@dataclass(frozen=True)
class Paired:
    """How many images both adapters recognised, one of them alone, or neither."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @classmethod
    def of(cls, outcomes: Iterable[tuple[bool, bool]]) -> "Paired":
        """Counted from (first was right, second was right) of each image."""
        counts = Counter(outcomes)
        return cls(
            both=counts[True, True],
            only_first=counts[True, False],
            only_second=counts[False, True],
            neither=counts[False, False],
        )

    @property
    def images(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither

    @property
    def difference(self) -> float:
        """Accuracy of the first less that of the second, -1 to 1."""
        return (self.only_first - self.only_second) / self.images

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true difference lies with 95 % confidence.

        Agresti and Min, "Simple improved confidence intervals for comparing matched proportions",
        Statistics in Medicine 2005: Wald's interval with half an image more in each cell.
        """
        images = self.images + 2
        apart = self.only_first - self.only_second
        spread = self.only_first + self.only_second + 1 - apart**2 / images
        half = Z * sqrt(spread) / images
        centre = apart / images
        return max(-1.0, centre - half), min(1.0, centre + half)

    @property
    def p_value(self) -> float:
        """Chance of a difference as large between two equally good adapters: McNemar's exact test
        (Psychometrika 1947)."""
        trials = self.only_first + self.only_second
        fewer = min(self.only_first, self.only_second)
        tail = sum(comb(trials, k) for k in range(fewer + 1))
        return min(1.0, 2 * tail / 2**trials)

    @property
    def is_distinguishable(self) -> bool:
        """Whether so few images tell the two apart, at the usual 5 %."""
        return self.p_value < 0.05

    def in_words(self, first: str, second: str) -> str:
        """arc - lora = -1.2 points, -4.4 to 2.0, on 340 images, p = 0.42: not distinguishable"""
        low, high = (100 * bound for bound in self.interval)
        chance = "p < 0.001" if self.p_value < 0.001 else f"p = {self.p_value:.2g}"
        verdict = "" if self.is_distinguishable else ": not distinguishable"
        return (
            f"{first} - {second} = {100 * self.difference:+.1f} points, {low:.1f} to {high:.1f}, "
            f"on {self.images:,} images, {chance}{verdict}"
        )

    def to_json(self) -> dict[str, Any]:
        return {
            **asdict(self),
            "difference": self.difference,
            "interval": self.interval,
            "p_value": self.p_value,
        }
