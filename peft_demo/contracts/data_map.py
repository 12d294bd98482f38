"""The map of an adapter's pictures: where they lie before it, and after."""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

PCA = "pca"
TSNE = "t-sne"
DRAWINGS = (PCA, TSNE)
"""Ways to draw features of many numbers on a plane."""
FEWEST = 5
"""Pictures that a map takes."""
MOST = 300
"""Pictures that are drawn, equally many of each class."""

TEST = "test"
TRAINING = "training"
PARTS: Mapping[str, str] = MappingProxyType(
    {TEST: "its test images", TRAINING: "its training images"}
)
"""Images of a dataset that can be drawn, and what they are called."""


class Place(NamedTuple):
    """Where a picture is drawn, from 0 to 1."""

    x: float
    """From left to right."""
    y: float
    """From below upwards."""


@dataclass(frozen=True)
class MappedPicture:
    """One picture. Classes are numbers of `DataMap.classes`."""

    label: int
    answer: int
    """What the adapter takes it for."""
    before: Place
    """In front of the head of the frozen backbone."""
    after: Place
    """The same with the adapter."""
    near_before: bool
    """Whether the picture with the most similar features is of its class, without the adapter."""
    near_after: bool
    """The same with the adapter."""
    picture: bytes = field(default=b"", repr=False)
    """A small JPEG."""

    @property
    def wrong(self) -> bool:
        return self.label != self.answer


@dataclass(frozen=True)
class ClassNeighbours:
    """How many pictures of one class lie next to one of their class."""

    name: str
    images: int
    before: int
    after: int


@dataclass(frozen=True)
class DataMap:
    """Pictures on a plane before and after adaptation.

    A drawing shows little of features of many numbers. `before` and `after` do not depend on it.
    """

    classes: tuple[str, ...]
    """Those that occur, as what a picture is or as what it was taken for."""
    pictures: tuple[MappedPicture, ...]
    out_of: int
    """Pictures there were to choose from."""
    drawing: str
    """One of `DRAWINGS`."""
    part: str
    """One of `PARTS`."""
    kept_before: float | None = None
    """The share of the features' variance that the drawing keeps, 0 to 1; None for t-SNE, which
    keeps neighbours, and where all features are the same."""
    kept_after: float | None = None

    @property
    def before(self) -> float:
        """Leave-one-out nearest-neighbour accuracy, 0 to 1, by cosine of all features."""
        return _share(picture.near_before for picture in self.pictures)

    @property
    def after(self) -> float:
        """The same with the adapter."""
        return _share(picture.near_after for picture in self.pictures)

    @property
    def mistakes(self) -> int:
        """Pictures that the adapter takes for another class."""
        return sum(picture.wrong for picture in self.pictures)

    def neighbours(self) -> list[ClassNeighbours]:
        """The classes that there are pictures of."""
        every = [self._of_class(number) for number in range(len(self.classes))]
        return [entry for entry in every if entry.images]

    def in_words(self) -> str:
        """What the adapter did, in a sentence."""
        before, after = f"{100 * self.before:.0f} %", f"{100 * self.after:.0f} %"
        agree = "Nearest neighbours agree in class for"
        if before == after:
            return f"{agree} {before} of the pictures before and after."
        return f"{agree} {before} of the pictures before, {after} after."

    def to_json(self) -> dict[str, Any]:
        """Everything but the pictures themselves."""
        return {
            "drawing": self.drawing,
            "part": self.part,
            "images": len(self.pictures),
            "out_of": self.out_of,
            "neighbours_before": self.before,
            "neighbours_after": self.after,
            "kept_before": self.kept_before,
            "kept_after": self.kept_after,
            "mistakes": self.mistakes,
            "classes": self.classes,
            "per_class": [asdict(entry) for entry in self.neighbours()],
            "points": [_point(picture) for picture in self.pictures],
        }

    def _of_class(self, number: int) -> ClassNeighbours:
        own = [picture for picture in self.pictures if picture.label == number]
        before = sum(picture.near_before for picture in own)
        after = sum(picture.near_after for picture in own)
        return ClassNeighbours(self.classes[number], len(own), before, after)


def _share(answers: Iterable[bool]) -> float:
    every = list(answers)
    return sum(every) / len(every)


def _point(picture: MappedPicture) -> dict[str, Any]:
    values = asdict(picture)
    del values["picture"]
    return values
