"""The usual slips: how a model that answers otherwise than it did may have been asked.

Each is tried, and the one that brings the kept logits back is named.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from PIL.Image import Image, Resampling
from timm.data import constants
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from ..data import to_tensor
from .runner import Normalisation, Runner

NORMALISATIONS: dict[str, Normalisation] = {
    "ImageNet": (constants.IMAGENET_DEFAULT_MEAN, constants.IMAGENET_DEFAULT_STD),
    "Inception": (constants.IMAGENET_INCEPTION_MEAN, constants.IMAGENET_INCEPTION_STD),
    "CLIP": (constants.OPENAI_CLIP_MEAN, constants.OPENAI_CLIP_STD),
    "none": ((0.0, 0.0, 0.0), (1.0, 1.0, 1.0)),
}
"""Those that are in use, by the names that the field has for them."""
CROPS = (1.0, 0.95, 0.9, 0.875)
"""Shares of the shorter side that a crop in the middle leaves."""

Prepare = Callable[[Image, int], Tensor]
"""(RGB picture, S) → uint8 [3 S S]"""


class Slip(NamedTuple):
    """A preparation under which the logits may come out right."""

    words: str
    prepare: Prepare = to_tensor
    normalisation: Normalisation | None = None


def slips(runner: Runner) -> Iterator[Slip]:
    """Those that can be tried with a model."""
    yield Slip("squeezed to a square, bicubic", to_tensor)
    yield Slip("in the order blue, green, red (BGR)", blue_first)
    for share in CROPS:
        part = f"{share:.1%} of the shorter side".replace(".0%", "%").replace("%", " %")
        yield Slip(f"cropped to a square in the middle ({part}) and not squeezed", cropped(share))
    for name in ("bilinear", "nearest", "lanczos", "box"):
        yield Slip(f"resized with {name} interpolation and not bicubic", resized(name))
    yield Slip("resized without antialiasing", not_antialiased)
    if runner.normalisation is not None:
        yield from _normalisations(*runner.normalisation)


def _normalisations(mean: tuple, std: tuple) -> Iterator[Slip]:
    own = tuple(mean), tuple(std)
    for name, other in {**NORMALISATIONS, "mean and std swapped": (own[1], own[0])}.items():
        if other != own and all(other[1]):
            words = f"normalised with mean {_numbers(other[0])} and std {_numbers(other[1])}"
            yield Slip(
                f"{words} ({name}), not {_numbers(own[0])} and {_numbers(own[1])}", to_tensor, other
            )


def blue_first(picture: Image, size: int) -> Tensor:
    return to_tensor(picture, size).flip(0)


def cropped(share: float) -> Prepare:
    """The shorter side resized to S / `share`, then S × S from the middle, as timm does it."""

    def prepare(picture: Image, size: int) -> Tensor:
        factor = size / share / min(picture.size)
        width, height = (max(size, round(side * factor)) for side in picture.size)
        small = picture.resize((width, height), Resampling.BICUBIC)
        left, top = (width - size) // 2, (height - size) // 2
        return to_tensor(small.crop((left, top, left + size, top + size)), size)

    return prepare


def resized(interpolation: str) -> Prepare:
    def prepare(picture: Image, size: int) -> Tensor:
        small = picture.resize((size, size), Resampling[interpolation.upper()])
        return to_tensor(small, size)  # which leaves a picture of that size as it is

    return prepare


def not_antialiased(picture: Image, size: int) -> Tensor:
    pixels = F.pil_to_tensor(picture)
    return F.resize(pixels, [size, size], F.InterpolationMode.BICUBIC, antialias=False)


def _numbers(values: tuple) -> str:
    return ", ".join(f"{value:.3g}" for value in values)
