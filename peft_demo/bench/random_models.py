"""Backbones and adapters with random weights: what a pass costs does not depend on them."""

from typing import Any

import timm
import torch
from torch import nn

from ..adapters import Adapter, create
from ..methods import find_method
from ..vit import Backbone, wrap
from ..vit.backbone import best_device
from ..vit.source import Source

CLASSES = 10


def random_backbone(source: Source, size: int) -> Backbone:
    """The backbone with random weights, on the best device here; `size` 0 is its own image side."""
    torch.manual_seed(0)
    model = random_timm(source)
    return wrap(model, source.name, source.arch, size, best_device())


def random_timm(source: Source, classes: int = 0, size: int = 0) -> nn.Module:
    """The source's timm model with random weights."""
    options: dict[str, Any] = dict(source.kwargs)
    if size:
        options["img_size"] = size
    return timm.create_model(source.arch, pretrained=False, num_classes=classes, **options)


def random_lora(backbone: Backbone, seed: int) -> Adapter:
    """A LoRA at its default knobs, ready to answer."""
    lora = find_method("lora")
    return create(lora, lora.config({}), backbone, CLASSES, seed).eval()
