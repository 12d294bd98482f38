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


def augment(images: Tensor, kind: str, generator: torch.Generator | None) -> Tensor:
    """uint8 [B 3 S S] again, each image changed for itself. `kind`: "none", "crop" or "crop+flip".

    "crop" keeps half to all of the area and squeezes it back to the square, "flip" mirrors half of
    the images. `generator`, on the CPU, is the only source of chance.
    """
    if kind not in AUGMENTATIONS:
        raise BadValue(
            f"unknown augmentation {kind!r}.", f"Expected one of {', '.join(AUGMENTATIONS)}."
        )
    if kind == "none":
        return images
    draws = torch.rand(len(images), 5, generator=generator).tolist()
    changed = []
    for image, (area, aspect, x, y, side) in zip(images, draws, strict=True):
        crop = _crop(image, area, aspect, x, y)
        mirrored = side < 0.5 and "flip" in kind
        changed.append(F.horizontal_flip(crop) if mirrored else crop)
    return torch.stack(changed)


def _crop(image: Tensor, area: float, aspect: float, x: float, y: float) -> Tensor:
    """The crop that four numbers in [0, 1) choose, back at the image's size. [3 S S] → [3 S S]"""
    size = image.shape[-1]
    share = _AREA[0] + area * (_AREA[1] - _AREA[0])
    narrowest, widest = _ASPECT
    ratio = narrowest * (widest / narrowest) ** aspect  # as often wide as tall
    width = min(size, max(1, round(size * (share * ratio) ** 0.5)))
    height = min(size, max(1, round(size * (share * (1 / ratio)) ** 0.5)))
    top = int(y * (size - height + 1))
    left = int(x * (size - width + 1))
    bicubic = F.InterpolationMode.BICUBIC
    return F.resized_crop(image, top, left, height, width, [size, size], bicubic, antialias=True)


def _read(example: Example, size: int, window: Window) -> Tensor:
    try:
        return to_tensor(decode(example.read(), window), size)
    except BadImage as error:
        raise BadImage(f"{example.name}: {error.sentence}") from None
