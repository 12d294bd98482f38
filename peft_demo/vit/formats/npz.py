"""Google's `.npz`, the papers' `ViT-B_16.npz` and AugReg's: JAX arrays, read by timm's own loader.

timm's loader fills a model. So that it fills it with the file's own numbers, the model has the
image size, the patch size and the depth of the file: nothing is resampled and no block is left
over."""

import re
import zipfile
from collections.abc import Mapping
from math import isqrt
from pathlib import Path
from typing import NamedTuple, cast

import numpy as np
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

from ...contracts.errors import BadBackbone
from ..source import Source

LARGEST = 16_000_000_000
"""Bytes of all arrays. A ViT-g with the state of its optimiser takes about 12 GB."""
KERNEL = "embedding/kernel"
POSITIONS = "pos_embedding"
STACKED_NORM = "Transformer/encoderblock/LayerNorm_0/scale"
"""[L D], where all blocks stand in one array."""


class Layout(NamedTuple):
    """What the arrays of a file tell about the model."""

    width: int
    depth: int
    patch: int
    """Pixels."""
    side: int
    """Rows of patches."""


def layout_of(file: Path) -> Layout:
    """The shape of the Vision Transformer in the file; no more than the headers has been read.

    `BadBackbone` if it is none.
    """
    shapes = _shapes(file)
    kernel = _ending(shapes, KERNEL)
    positions = _ending(shapes, POSITIONS)
    depth = _depth(shapes)
    if any(name.endswith("conv_root/kernel") for name in shapes):
        raise BadBackbone(
            f"{file.name} is a hybrid: a ResNet stands before its Transformer.",
            "Bring a file without one, `ViT-B_16.npz` for example.",
        )
    if kernel is None or positions is None or len(kernel) != 4 or not depth:
        raise BadBackbone(
            f"{file.name} is an .npz without the arrays of Google's Vision Transformers.",
            f"They are called {KERNEL!r}, 'Transformer/encoderblock_0/...' and so on.",
        )
    side = isqrt(positions[-2])  # with a class token there is one position more than side²
    return Layout(kernel[-1], depth, kernel[0], side)


def read_npz(file: Path, source: Source) -> dict[str, Tensor]:
    """The tensors under timm's names, read for an architecture of the file's own layout.

    `BadBackbone` says what does not fit.
    """
    model = cast(VisionTransformer, source.create())
    try:
        model.load_pretrained(str(file))
    except (KeyError, RuntimeError, ValueError, AttributeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadBackbone(f"{file.name} is not a {source.arch}: {reason}") from None
    return dict(model.state_dict())


def _shapes(file: Path) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays by name, from their headers; `BadBackbone` for objects and bombs."""
    shapes = {}
    try:
        with zipfile.ZipFile(file) as archive:
            if sum(member.file_size for member in archive.infolist()) > LARGEST:
                raise BadBackbone(f"{file.name} unpacks to more than {LARGEST / 1e9:.0f} GB.")
            for member in archive.namelist():
                with archive.open(member) as opened:
                    shape, dtype = _header(opened)
                if dtype.hasobject:
                    raise BadBackbone(f"{file.name} holds Python objects, which are not read.")
                shapes[member.removesuffix(".npy")] = shape
    except (ValueError, zipfile.BadZipFile, OSError, EOFError):
        raise BadBackbone(f"{file.name} is no sound .npz file.", "It may be cut short.") from None
    return shapes


def _header(opened: object) -> tuple[tuple[int, ...], np.dtype]:
    version = np.lib.format.read_magic(opened)  # pyright: ignore[reportArgumentType] - a zip member
    read = (
        np.lib.format.read_array_header_1_0
        if version == (1, 0)
        else np.lib.format.read_array_header_2_0
    )
    shape, _, dtype = read(opened)  # pyright: ignore[reportArgumentType] - a zip member
    return shape, dtype


def _depth(shapes: Mapping[str, tuple[int, ...]]) -> int:
    stacked = _ending(shapes, STACKED_NORM)
    if stacked is not None:
        return stacked[0]
    numbers = (re.search(r"Transformer/encoderblock_(\d+)/", name) for name in shapes)
    return len({number[1] for number in numbers if number})


def _ending(shapes: Mapping[str, tuple[int, ...]], ending: str) -> tuple[int, ...] | None:
    """The shape of the array whose name ends so; an outer group ("opt/target/") may precede."""
    for name, shape in shapes.items():
        if name.endswith(ending):
            return shape
    return None
