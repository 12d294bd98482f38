"""Where a backbone's weights come from, and what they fill: an architecture without any memory."""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import timm
import torch
from timm.models import PretrainedCfg
from torch import nn

from ..contracts.errors import BadBackbone
from .anatomy import Anatomy, expose, inspect_anatomy
from .sites import patch_embed

LARGEST_SIZE = 1024
"""Pixels."""


@dataclass(frozen=True)
class Source:
    """Weights and the timm architecture they fill. `file` is None for a download."""

    name: str
    title: str
    arch: str
    file: Path | None = None
    kwargs: tuple[tuple[str, Any], ...] = ()
    """What timm needs beside the name of the architecture, sorted by name."""
    mean: tuple[float, ...] = ()
    std: tuple[float, ...] = ()
    interpolation: str = ""
    licence: str = ""
    fingerprint: str = ""
    """SHA-256 of the tensors as they were registered; "" where nobody has computed it."""
    bundled: bool = False

    @property
    def hub(self) -> str:
        """The repository of the Hugging Face Hub with these weights; "" for what came as a file."""
        return "" if self.file else hub_repository(self.name)

    @property
    def local_file(self) -> Path:
        """The file of a bundled or registered backbone; `BadBackbone` for a download."""
        if self.file is None:
            raise BadBackbone(f"{self.name} is a download and not a file on this machine.")
        return self.file

    def create(self) -> nn.Module:
        """The architecture with random weights, without a head; `BadBackbone` if timm cannot."""
        settings = dict(self.kwargs)
        try:
            return timm.create_model(self.arch, pretrained=False, num_classes=0, **settings)
        except (RuntimeError, TypeError, ValueError, AssertionError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise BadBackbone(f"timm cannot build {self.arch} here: {reason}.") from None

    def empty(self) -> nn.Module:
        """The architecture on the meta device, without a head: shapes, no memory."""
        with torch.device("meta"):
            return self.create()


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


def hub_repository(name: str) -> str:
    """The Hub's repository of timm's pretrained weights called `name`; "" if there is none."""
    return (timm_config(name).hf_hub_id or "") if timm.is_model_pretrained(name) else ""


def timm_config(name: str) -> PretrainedCfg:
    """timm's record of an architecture: image size, normalisation, licence, name of the head."""
    return timm.get_pretrained_cfg(name, allow_unregistered=False) or PretrainedCfg()


@lru_cache
def timm_names() -> frozenset[str]:
    """Names of timm's architectures, with and without the tag of pretrained weights."""
    return frozenset(timm.list_models()) | frozenset(timm.list_pretrained())


def _mergers(model: nn.Module) -> int:
    """How often four patches become one on the way: between the stages of a Swin."""
    stages = getattr(model, "layers", None)
    return len(stages) - 1 if isinstance(stages, nn.Sequential) else 0
