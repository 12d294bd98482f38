"""Few-shot sets as uint8 tensors in memory, and their augmentation."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import torch
from PIL import Image
from torchvision.transforms.v2 import functional as F

from ..contracts.errors import BadImage, BadValue
from ..contracts.progress import Report
from ..contracts.specs import AUGMENTATIONS
from .dataset import Example
from .images import THREADS, decode

RESIZED = "bicubic, squeezed to a square, not cropped"
"""What `to_tensor` does, in words for programs that have to do the same."""

_AREA = (0.5, 1.0)
_ASPECT = (3 / 4, 4 / 3)
"""Of a random crop: the share of the picture's area, and the range of width / height."""


def to_tensor(image: Image.Image, size: int) -> torch.Tensor:
    """uint8 [3 S S] of an RGB picture, squeezed to a square (bicubic, antialiased) as in VTAB: nothing is cropped."""
    small = image.resize((size, size), Image.Resampling.BICUBIC)
    return (
        torch.frombuffer(bytearray(small.tobytes()), dtype=torch.uint8)
        .view(size, size, 3)
        .permute(2, 0, 1)
    )


def stack(
    examples: Sequence[Example], size: int, report: Report | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    """(images uint8 [N 3 S S], labels int64 [N]), on the CPU. Raises `BadImage`, naming the file."""
    images = torch.empty(len(examples), 3, size, size, dtype=torch.uint8)
    with ThreadPoolExecutor(THREADS) as threads:
        for n, image in enumerate(threads.map(lambda e: _read(e, size), examples)):
            images[n] = image
            if report and n % 50 == 0:
                report("decoding", n / len(examples))
    return images, torch.tensor([e.label for e in examples], dtype=torch.int64)


def augment(images: torch.Tensor, kind: str, generator: torch.Generator) -> torch.Tensor:
    """uint8 [B 3 S S] again, each image changed for itself. `kind`: "none", "crop" or "crop+flip".

    "crop" keeps half to all of the area and squeezes it back to the square, "flip" mirrors half of the images.
    `generator`, on the CPU, is the only source of chance.
    """
    if kind not in AUGMENTATIONS:
        raise BadValue(
            f"unknown augmentation {kind!r}.", f"Expected one of {', '.join(AUGMENTATIONS)}."
        )
    if kind == "none":
        return images
    draws = torch.rand(len(images), 5, generator=generator).tolist()
    return torch.stack(
        [
            _crop(image, *d[:4], d[4] < 0.5 and "flip" in kind)
            for image, d in zip(images, draws, strict=True)
        ]
    )


def _crop(
    image: torch.Tensor, area: float, aspect: float, x: float, y: float, flip: bool
) -> torch.Tensor:
    """The crop that four numbers in [0, 1) choose, mirrored if `flip`. [3 S S] → [3 S S]"""
    size = image.shape[-1]
    share = _AREA[0] + area * (_AREA[1] - _AREA[0])
    ratio = (
        _ASPECT[0] * (_ASPECT[1] / _ASPECT[0]) ** aspect
    )  # even in the logarithm: as often wide as tall
    width, height = (
        min(size, max(1, round(size * (share * r) ** 0.5))) for r in (ratio, 1 / ratio)
    )
    top = int(y * (size - height + 1))
    left = int(x * (size - width + 1))
    image = F.resized_crop(
        image, top, left, height, width, [size, size], F.InterpolationMode.BICUBIC, antialias=True
    )
    return F.horizontal_flip(image) if flip else image


def _read(example: Example, size: int) -> torch.Tensor:
    try:
        return to_tensor(decode(example.read()), size)
    except BadImage as error:
        raise BadImage(f"{example.name}: {error.sentence}") from None
