"""The datasets that come with the project. None needs the network, none is a file of this repository."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial

from PIL import Image

from ..contracts.cards import DatasetCard
from ..contracts.errors import UnknownName
from . import shapes, textures
from .dataset import Dataset, Example

_DIGITS = 1797


@dataclass(frozen=True)
class _Bundled:
    card: DatasetCard
    pictures: Callable[[], list[tuple[int, str, Callable[[], Image.Image]]]]
    """(label, name, draw) of all of them."""


def cards() -> tuple[DatasetCard, ...]:
    """The bundled datasets, described; draws nothing."""
    return tuple(bundled.card for bundled in _BUNDLED.values())


def names() -> tuple[str, ...]:
    return tuple(_BUNDLED)


def load(name: str) -> Dataset:
    """A bundled dataset by name, drawn picture by picture as they are read. Raises `UnknownName`."""
    if name not in _BUNDLED:
        raise UnknownName("dataset", name, _BUNDLED)
    card = _BUNDLED[name].card
    examples = tuple(
        Example(label, "", shown, draw) for label, shown, draw in _BUNDLED[name].pictures()
    )
    return Dataset(card.title, card.classes, examples)


def _drawn(module) -> list:
    """Of `shapes` or `textures`: `PER_CLASS` pictures of each class."""
    return [
        (label, f"{name} {index + 1}", partial(module.draw, label, index))
        for label, name in enumerate(module.CLASSES)
        for index in range(module.PER_CLASS)
    ]


def _digits() -> list:
    labels = _load_digits()[1]
    return [
        (int(label), f"digit {index + 1}", partial(_digit, index))
        for index, label in enumerate(labels)
    ]


def _digit(index: int) -> Image.Image:
    """8 × 8 pixels, RGB, white ink on black. scikit-learn counts ink from 0 to 16."""
    pixels = _load_digits()[0][index]
    return Image.fromarray((pixels * (255 / 16)).round().astype("uint8")).convert("RGB")


@cache
def _load_digits():
    from sklearn.datasets import load_digits

    digits = load_digits()
    return digits.images, digits.target


def _card(name: str, module, title: str, summary: str) -> DatasetCard:
    return DatasetCard(
        name, title, summary, module.CLASSES, len(module.CLASSES) * module.PER_CLASS, "Apache-2.0"
    )


_BUNDLED = {
    "digits": _Bundled(
        DatasetCard(
            "digits",
            "Handwritten digits",
            "The digits 0 to 9 in 8 × 8 pixels, from scikit-learn (E. Alpaydin, C. Kaynak, UCI).",
            tuple("0123456789"),
            _DIGITS,
            "CC BY 4.0",
        ),
        _digits,
    ),
    "shapes": _Bundled(
        _card(
            "shapes",
            shapes,
            "Shapes by direction",
            "Arrows that point one of eight ways, drawn here: hard to probe, easier to fine-tune.",
        ),
        partial(_drawn, shapes),
    ),
    "textures": _Bundled(
        _card(
            "textures",
            textures,
            "Textures",
            "Ten patterns, from bricks to zigzags, in any colour; drawn here.",
        ),
        partial(_drawn, textures),
    ),
}
