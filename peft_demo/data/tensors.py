"""Few-shot sets as uint8 tensors in memory, and their augmentation."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch
from PIL import Image
from torch import Tensor
from torchvision.transforms.v2 import functional as F

from ..contracts.errors import BadImage, BadValue
from ..contracts.progress import Report
from ..contracts.specs import AUGMENTATIONS
from ..contracts.window import Window
from .dataset import Example
from .images import THREADS, decode

RESIZED = "bicubic, squeezed to a square, not cropped"
"""What `to_tensor` does, in words for programs that have to do the same."""

WINDOW = 7 / 8
"""The side of a window, as a share of the picture's: 224 of 256 pixels."""

_AREA = (0.5, 1.0)
"""Of a random crop: the share of the picture's area."""
_ASPECT = (3 / 4, 4 / 3)
"""Of a random crop: the range of width / height."""


def to_tensor(image: Image.Image, size: int) -> Tensor:
    """uint8 [3 S S] of an RGB picture, squeezed to a square (bicubic, antialiased) as in VTAB:
    nothing is cropped."""
    small = image.resize((size, size), Image.Resampling.BICUBIC)
    pixels = torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
    return pixels.view(size, size, 3).permute(2, 0, 1)


def stack(
    examples: Sequence[Example],
    size: int,
    report: Report | None = None,
    window: Window = Window(),
) -> tuple[Tensor, Tensor]:
    """(images uint8 [N 3 S S], labels int64 [N]), on the CPU. Raises `BadImage`, naming the
    file."""
    images = torch.empty(len(examples), 3, size, size, dtype=torch.uint8)
    read = partial(_read, size=size, window=window)
    with ThreadPoolExecutor(THREADS) as threads:
        for number, image in enumerate(threads.map(read, examples)):
            images[number] = image
            if report and number % 50 == 0:
                report("decoding", number / len(examples))
    return images, torch.tensor([example.label for example in examples], dtype=torch.int64)


def augment(images: Tensor, kind: str, generator: torch.Generator | None, size: int = 0) -> Tensor:
    """uint8 [B 3 L L] → [B 3 S S], each image changed for itself; S is `size`, 0 for L.

    `kind` is one of `AUGMENTATIONS`. "crop" keeps half to all of the area and squeezes it back to a
    square, "window" takes a square of `WINDOW` of the side, "flip" mirrors half of the images.
    Larger images that neither is done to are cut to the middle. `generator`, on the CPU, is the
    only source of chance.
    """
    size = size or images.shape[-1]
    if kind not in AUGMENTATIONS:
        raise BadValue(
            f"unknown augmentation {kind!r}.", f"Expected one of {', '.join(AUGMENTATIONS)}."
        )
    if kind == "none":
        return centred(images, size)
    draws = torch.rand(len(images), 5, generator=generator).tolist()
    changed = []
    for image, (area, aspect, x, y, side) in zip(images, draws, strict=True):
        if "crop" in kind:
            cut = _crop(image, size, area, aspect, x, y)
        elif "window" in kind:
            cut = _window(image, size, x, y)
        else:
            cut = centred(image, size)
        mirrored = side < 0.5 and "flip" in kind
        changed.append(F.horizontal_flip(cut) if mirrored else cut)
    return torch.stack(changed)


def centred(images: Tensor, size: int) -> Tensor:
    """The middle of images [... 3 L L] that are larger than `size`: [... 3 S S]."""
    return images if images.shape[-1] == size else F.center_crop(images, [size, size])


def _window(image: Tensor, size: int, x: float, y: float) -> Tensor:
    """The window that two numbers in [0, 1) choose, at `size`. [3 L L] → [3 S S]"""
    largest = image.shape[-1]
    side = round(largest * WINDOW)
    top = int(y * (largest - side + 1))
    left = int(x * (largest - side + 1))
    window = F.crop(image, top, left, side, side)
    if side == size:
        return window
    return F.resize(window, [size, size], F.InterpolationMode.BICUBIC, antialias=True)


def _crop(image: Tensor, out: int, area: float, aspect: float, x: float, y: float) -> Tensor:
    """The crop that four numbers in [0, 1) choose, at `out` pixels. [3 L L] → [3 S S]"""
    size = image.shape[-1]
    share = _AREA[0] + area * (_AREA[1] - _AREA[0])
    narrowest, widest = _ASPECT
    ratio = narrowest * (widest / narrowest) ** aspect  # as often wide as tall
    width = min(size, max(1, round(size * (share * ratio) ** 0.5)))
    height = min(size, max(1, round(size * (share * (1 / ratio)) ** 0.5)))
    top = int(y * (size - height + 1))
    left = int(x * (size - width + 1))
    bicubic = F.InterpolationMode.BICUBIC
    return F.resized_crop(image, top, left, height, width, [out, out], bicubic, antialias=True)


def _read(example: Example, size: int, window: Window) -> Tensor:
    try:
        return to_tensor(decode(example.read(), window), size)
    except BadImage as error:
        raise BadImage(f"{example.name}: {error.sentence}") from None
