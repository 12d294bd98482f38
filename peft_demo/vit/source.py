"""Where a backbone's weights come from, and the architecture they fill.

timm is loaded when it is first asked, so that backbones can be listed without it.
"""

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contracts.errors import BadBackbone
from ..lazy import LazyModule

if TYPE_CHECKING:
    import timm
    import torch
    from timm.models import PretrainedCfg
    from torch import nn
else:
    timm = LazyModule("timm")
    torch = LazyModule("torch")

HEADER_LIMIT = 4_000_000
"""Bytes of a weights file; the header of a 40-block ViT takes about 60 kB."""


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
    size: int = 0
    """Image side, pixels; 0 where only the model tells."""
    parameters: int = 0
    """Numbers in all its tensors; 0 where only the model tells."""

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

    def create(self) -> "nn.Module":
        """The architecture with random weights, without a head; `BadBackbone` if timm cannot."""
        settings = dict(self.kwargs)
        try:
            return timm.create_model(self.arch, pretrained=False, num_classes=0, **settings)
        except (RuntimeError, TypeError, ValueError, AssertionError) as error:
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise BadBackbone(f"timm cannot build {self.arch} here: {reason}.") from None

    def empty(self) -> "nn.Module":
        """The architecture on the meta device, without a head: shapes, no memory."""
        with torch.device("meta"):
            return self.create()


def hub_repository(name: str) -> str:
    """The Hub's repository of timm's pretrained weights called `name`; "" if there is none."""
    return (timm_config(name).hf_hub_id or "") if is_pretrained(name) else ""


def is_pretrained(name: str) -> bool:
    """Whether timm knows pretrained weights of that name."""
    return timm.is_model_pretrained(name)


def timm_config(name: str) -> "PretrainedCfg":
    """timm's record of an architecture: image size, normalisation, licence, name of the head."""
    return timm.get_pretrained_cfg(name, allow_unregistered=False) or timm.models.PretrainedCfg()


@lru_cache
def timm_names() -> frozenset[str]:
    """Names of timm's architectures, with and without the tag of pretrained weights."""
    return frozenset(timm.list_models()) | frozenset(timm.list_pretrained())
