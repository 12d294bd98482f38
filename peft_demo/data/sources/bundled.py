"""The datasets that come with the project. None needs the network, none is a file of this
repository."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from types import ModuleType

import numpy as np
from PIL import Image

from ...contracts.cards import DatasetCard
from ...contracts.errors import UnknownName
from .. import shapes, textures
from ..dataset import Dataset, Example
from . import Request, Source

Drawing = tuple[int, str, Callable[[], Image.Image]]
"""(label, name, what draws it)"""


def parse(word: str) -> str | None:
    """The word itself if a bundled set is called so."""
    return word if word in _SETS else None


def open_bundled(request: Request) -> Dataset:
    """A bundled set, its pictures drawn one by one as they are read. Raises `UnknownName`."""
    name = request.spec.name
    if name not in _SETS:
        raise UnknownName("dataset", name, _SETS)
    bundled = _SETS[name]
    examples = tuple(Example(label, "", shown, draw) for label, shown, draw in bundled.drawings())
    return Dataset(bundled.card.title, bundled.card.classes, examples)


BUNDLED = Source("bundled", open_bundled, parse=parse)


def cards() -> tuple[DatasetCard, ...]:
    """The bundled datasets, described; draws nothing."""
    return tuple(bundled.card for bundled in _SETS.values())


def names() -> tuple[str, ...]:
    """What the bundled datasets are called."""
    return tuple(_SETS)


@dataclass(frozen=True)
class _Bundled:
    card: DatasetCard
    drawings: Callable[[], list[Drawing]]
    """All pictures of the set, none of them drawn yet."""


def _drawn(module: ModuleType) -> list[Drawing]:
    """Of `shapes` or `textures`: `PER_CLASS` pictures of each class."""
    return [
        (label, f"{name} {index + 1}", partial(module.draw, label, index))
        for label, name in enumerate(module.CLASSES)
        for index in range(module.PER_CLASS)
    ]


def _drawn_card(name: str, module: ModuleType, title: str, summary: str) -> DatasetCard:
    images = len(module.CLASSES) * module.PER_CLASS
    return DatasetCard(name, title, summary, module.CLASSES, images, "Apache-2.0")


def _digits() -> list[Drawing]:
    _, labels = _load_digits()
    return [
        (int(label), f"digit {index + 1}", partial(_digit, index))
        for index, label in enumerate(labels)
    ]


def _digit(index: int) -> Image.Image:
    """8 × 8 pixels, RGB, white ink on black. scikit-learn counts ink from 0 to 16."""
    images, _ = _load_digits()
    ink = images[index] * (255 / 16)
    return Image.fromarray(ink.round().astype("uint8")).convert("RGB")


@cache
def _load_digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    pixels, labels = load_digits(return_X_y=True)
    return np.asarray(pixels).reshape(-1, 8, 8), np.asarray(labels)


_DIGITS_CARD = DatasetCard(
    name="digits",
    title="Handwritten digits",
    summary="The digits 0 to 9 in 8 × 8 pixels, from scikit-learn (E. Alpaydin, C. Kaynak, UCI).",
    classes=tuple("0123456789"),
    images=1797,
    licence="CC BY 4.0",
)
_SHAPES_CARD = _drawn_card(
    "shapes",
    shapes,
    "Shapes by direction",
    "Arrows that point one of eight ways, drawn here: hard to probe, easier to fine-tune.",
)
_TEXTURES_CARD = _drawn_card(
    "textures",
    textures,
    "Textures",
    "Ten patterns, from bricks to zigzags, in any colour; drawn here.",
)
_SETS = {
    "digits": _Bundled(_DIGITS_CARD, _digits),
    "shapes": _Bundled(_SHAPES_CARD, partial(_drawn, shapes)),
    "textures": _Bundled(_TEXTURES_CARD, partial(_drawn, textures)),
}
