"""How an adapter does on a set of pictures, and where it errs."""

from dataclasses import asdict, dataclass, field
from typing import Any

from .accuracy import interval, right_of


@dataclass(frozen=True)
class ClassScore:
    """How one class is recognised. Fractions of 1; None where there is nothing to divide by."""

    name: str
    images: int
    """That are of this class."""
    precision: float | None
    """Of the pictures that were taken for it, how many are."""
    recall: float | None
    """Of the pictures that are of it, how many were recognised."""
    f1: float | None
    """The harmonic mean of both."""


@dataclass(frozen=True)
class Reliability:
    """Answers of about the same probability, and how many of them are right."""

    probability: float
    """Their mean."""
    accuracy: float
    images: int


@dataclass(frozen=True)
class ScoredPicture:
    """One of the pictures and what was said of it. Classes are numbers of `Score.classes`."""

    label: int
    answer: int
    probability: float
    """Of the answer."""
    picture: bytes
    """A small JPEG."""

    @property
    def wrong(self) -> bool:
        return self.label != self.answer


@dataclass(frozen=True)
class Score:
    """Accuracy of an adapter on a dataset. `left_out` images had been trained or validated on."""

    accuracy: float
    images: int
    left_out: int
    classes: tuple[ClassScore, ...] = ()
    """Those that occur, as what a picture is or as what it was taken for."""
    confusion: tuple[tuple[int, ...], ...] = ()
    """A row for each of `classes`: how many of its pictures were taken for each of `classes`."""
    macro_f1: float | None = None
    """The mean F1 of `classes`."""
    pictures: tuple[ScoredPicture, ...] = field(default=(), repr=False)
    """Some of each cell of `confusion`, mistakes first, where they were asked for."""
    reliability: tuple[Reliability, ...] = ()
    """The answers in tenths of probability."""
    calibration_error: float | None = None
    """How far probability and accuracy are apart on average (ECE, Guo et al. 2017), 0 to 1."""
    brier: float | None = None
    """Mean squared error of all classes' probabilities, summed over classes (Brier 1950), 0 to
    2."""
    called_none: int | None = None
    """Images that were called none of the classes, None where the adapter cannot say."""

    @property
    def right(self) -> int:
        """How many images were recognised."""
        return right_of(self.accuracy, self.images)

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true accuracy lies with 95 % confidence."""
        return interval(self.right, self.images)

    @property
    def per_class(self) -> tuple[tuple[str, float, int], ...]:
        """(class, accuracy, images) of the classes that there are images of."""
        return tuple(
            (entry.name, entry.recall, entry.images)
            for entry in self.classes
            if entry.recall is not None
        )

    def mistakes(self) -> list[tuple[int, str, str]]:
        """(how often, class, what it was taken for) of every confusion, the most frequent first."""
        names = [entry.name for entry in self.classes]
        found = [
            (count, names[row], names[column])
            for row, counts in enumerate(self.confusion)
            for column, count in enumerate(counts)
            if count and row != column
        ]
        return sorted(found, key=lambda mistake: -mistake[0])

    def to_json(self) -> dict[str, Any]:
        """Everything but the pictures."""
        return {
            "accuracy": self.accuracy,
            "images": self.images,
            "left_out": self.left_out,
            "per_class": self.per_class,
            "right": self.right,
            "interval": self.interval,
            "macro_f1": self.macro_f1,
            "classes": [asdict(entry) for entry in self.classes],
            "confusion": self.confusion,
            "calibration_error": self.calibration_error,
            "brier": self.brier,
            "reliability": [asdict(one) for one in self.reliability],
            "called_none": self.called_none,
        }
