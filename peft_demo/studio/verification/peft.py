"""A folder of peft's, put by peft on the plain model that it was written for: timm's, or
transformers' with q, k and v apart."""

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import torch
from torch import Tensor, nn

from ... import interop, vit
from ...contracts.errors import BadAdapter, BadValue
from ...contracts.probes import Probes
from ...contracts.specs import ImportHints
from ...inference.runner import ModelRunner
from ...interop.peft_folder import read_folder
from ...interop.peft_tensors import tensors_by_path
from ...interop.plain_model import timm_model, transformers_model
from ...interop.transformers_names import LAYOUTS, Layout
from ...storage.home import Home
from ..backbone_cache import BackboneCache
from .kept import kept_in


def opened(folder: Path, home: Home, backbones: BackboneCache) -> tuple[ModelRunner, Probes]:
    """The LoRA in `folder` on its model, and what is kept beside it.

    `BadValue` where peft or transformers are missing.
    """
    lora = read_folder(folder)  # judged here, before another program opens it
    kept = kept_in(folder)
    hints = interop.with_defaults(folder, ImportHints())
    backbone = backbones.get(hints.backbone, hints.size, hints.fingerprint)
    mean, std = interop.normalisation(lora, backbone)
    layout = _layout(tensors_by_path(lora))
    if layout is None:
        source = vit.find(backbone.name, home.root, backbone.fingerprint)
        plain = timm_model(backbone, dict(source.kwargs), len(hints.classes))
    else:
        plain = transformers_model(backbone, layout, len(hints.classes))
    program = "timm" if layout is None else "transformers"
    by = f"peft {_installed('peft')} on a model of {program} with the weights of {backbone.name}"
    model = Logits(_with_lora(plain, folder))
    return ModelRunner(by, hints.classes, backbone.size, (mean, std), model), kept


class Logits(nn.Module):
    """What a model answers, also where transformers wraps it."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        answer = self.model(images)
        return answer if isinstance(answer, Tensor) else answer.logits


def _layout(paths: Iterable[str]) -> Layout | None:
    """The layout of transformers whose names these are, None for timm's."""
    for layout in LAYOUTS:
        start = layout.block.partition("{")[0]
        if any(path.startswith(start) for path in paths):
            return layout
    return None


def _installed(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        raise BadValue(f"this needs the package {package}.", f"`pip install {package}`") from None


def _with_lora(plain: nn.Module, folder: Path) -> nn.Module:
    from peft import PeftModel

    try:
        with torch.random.fork_rng(devices=[]):
            return PeftModel.from_pretrained(plain, str(folder)).eval()
    except (RuntimeError, ValueError, KeyError, TypeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadAdapter(f"peft cannot load {folder.name}: {reason}") from None
