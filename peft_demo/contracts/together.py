"""Several adapters of the same classes on the same images: each alone, and all together."""

from dataclasses import dataclass
from typing import Any

from .accuracy import in_words
from .paired import Paired

ANSWERS = "answers averaged"
"""The mean of their probabilities: an ensemble, as slow as all of them."""
WEIGHTS = "weights averaged"
"""One model with the mean of their weights: a soup, as fast as one."""


@dataclass(frozen=True)
class Combined:
    """One way to answer together."""

    how: str
    """`ANSWERS` or `WEIGHTS`."""
    accuracy: float
    gain: Paired
    """It, and the adapter that is best alone, on the same images."""


@dataclass(frozen=True)
class Together:
    """What came of it. The best alone was chosen by these very images, so a gain over it is said
    too small rather than too large.
    """

    images: int
    """That none of them has learned from."""
    left_out: int
    """Images that one of them has learned from."""
    alone: tuple[tuple[str, float], ...]
    """(adapter, accuracy) of each."""
    combined: tuple[Combined, ...]
    no_weights: str = ""
    """Why weights were not averaged, "" if they were."""

    @property
    def best(self) -> str:
        """The adapter that is most often right alone; of equals the first."""
        return max(self.alone, key=lambda one: one[1])[0]

    @property
    def rows(self) -> list[tuple[str, str]]:
        """(who answers, how often that is right, in words)"""
        everyone = [*self.alone, *((one.how, one.accuracy) for one in self.combined)]
        return [(who, in_words(accuracy, self.images)) for who, accuracy in everyone]

    def in_words(self) -> list[str]:
        """A sentence for each way, and what could not be done."""
        lines = [one.gain.in_words(one.how, self.best) for one in self.combined]
        if self.no_weights:
            lines.append(f"weights not averaged: {self.no_weights}")
        if self.left_out:
            lines.append(f"{self.left_out:,} images left out, seen in training")
        return lines

    def to_json(self) -> dict[str, Any]:
        return {
            "images": self.images,
            "left_out": self.left_out,
            "alone": [{"adapter": id, "accuracy": accuracy} for id, accuracy in self.alone],
            "best": self.best,
            "combined": [
                {"how": one.how, "accuracy": one.accuracy, "gain": one.gain.to_json()}
                for one in self.combined
            ],
            "no_weights": self.no_weights,
        }
