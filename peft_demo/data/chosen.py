"""Which images were chosen, and which ones were left out on the way."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import chain

from ..contracts.window import Window
from .dataset import Example

COPIES_LISTED = 20
"""Up to so many copies are listed one by one; more are one notice."""


@dataclass(frozen=True)
class Split:
    """The chosen images, class by class, all of them readable and no two the same."""

    classes: tuple[str, ...]
    train: tuple[Example, ...]
    val: tuple[Example, ...]
    test: tuple[Example, ...]
    notices: tuple[str, ...] = ()
    rejected: tuple[tuple[str, str], ...] = ()
    """(file, reason) of images that had been chosen and turned out damaged, or the same as another.
    """
    problem: str = ""
    """Why this cannot be trained on, empty if it can."""
    doubt: str = ""
    """What a person should look at before training, empty if nothing."""
    validation: str = ""
    """What there is to know about an accuracy on the validation images, empty if nothing."""
    window: Window = Window()
    """How these pictures become plain RGB."""
    windowed: tuple[Example, ...] = field(default=(), repr=False)
    """Training images that the window changes."""

    @property
    def fingerprint(self) -> str:
        """SHA-256, hex, over class, part and digest of all chosen images."""
        parts = {"train": self.train, "val": self.val, "test": self.test}
        lines = sorted(
            f"{part} {self.classes[example.label]} {example.digest}"
            for part, chosen in parts.items()
            for example in chosen
        )
        return sha256("\n".join(lines).encode()).hexdigest()

    @property
    def seen(self) -> tuple[str, ...]:
        """Digests of the training and validation images, sorted."""
        return tuple(sorted(example.digest for example in self.train + self.val))


@dataclass
class Chosen:
    """Examples of each part, class by class."""

    train: list[Example]
    val: list[Example]
    test: list[Example]
    cut: int = 0
    """Test images that are not used, as there are enough."""

    def __iter__(self) -> Iterator[Example]:
        return chain(self.train, self.val, self.test)


@dataclass
class LeftOut:
    """Examples that had been chosen and cannot be used, with the reason."""

    damaged: dict[Example, str] = field(default_factory=dict)
    copies: dict[Example, str] = field(default_factory=dict)
    disagreements: dict[Example, str] = field(default_factory=dict)

    def __contains__(self, example: Example) -> bool:
        return example in self.damaged or example in self.copies or example in self.disagreements

    def __len__(self) -> int:
        return len(self.damaged) + len(self.copies) + len(self.disagreements)

    @property
    def listed(self) -> tuple[tuple[str, str], ...]:
        """(file, reason), without copies if there are many."""
        few = self.copies if len(self.copies) <= COPIES_LISTED else {}
        everything = self.damaged | self.disagreements | few
        return tuple((example.name, reason) for example, reason in everything.items())
