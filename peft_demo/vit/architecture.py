"""An architecture without its weights: its anatomy, and the size of its images."""

from functools import lru_cache

from torch import nn

from ..contracts.errors import BadBackbone
from .anatomy import Anatomy, expose, inspect_anatomy
from .sites import patch_embed
from .source import Source

LARGEST_SIZE = 1024
"""Pixels."""


@lru_cache
def anatomy_of(source: Source, size: int = 0) -> Anatomy:
    """The anatomy of a backbone without its weights, at `size` px (0: its own)."""
    model = source.empty()
    if size:
        set_size(model, size)
    return inspect_anatomy(expose(model), source.arch)


def set_size(model: nn.Module, size: int) -> None:
    """The model takes images of `size` px afterwards, its position embedding resampled."""
    model.set_input_size(img_size=resolution(model, size))  # pyright: ignore[reportCallIssue] - timm's, by every family


def resolution(model: nn.Module, size: int) -> tuple[int, int]:
    """`size` as an input size the patches divide, merged ones too; `BadBackbone` otherwise."""
    patch = patch_embed(model).proj.kernel_size[0] * 2 ** _mergers(model)
    if size % patch or not patch <= size <= LARGEST_SIZE:
        nearest = max(patch, round(size / patch) * patch)
        raise BadBackbone(
            f"{size} px cannot be cut into patches of {patch} px.",
            f"Try {min(nearest, LARGEST_SIZE)}.",
        )
    return size, size


def _mergers(model: nn.Module) -> int:
    """How often four patches become one on the way: between the stages of a Swin."""
    stages = getattr(model, "layers", None)
    return len(stages) - 1 if isinstance(stages, nn.Sequential) else 0
