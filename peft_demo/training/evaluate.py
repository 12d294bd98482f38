"""Answers without learning: logits of images, accuracy and loss of a model on them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..adapters import Mixed
from ..vit import Backbone

BATCH = 64


def normalised(images: Tensor, backbone: Backbone) -> Tensor:
    """uint8 or float images [B 3 S S] in 0..255 → what the backbone was trained on, fp32, on its device."""
    mean, std = (torch.tensor(v, device=backbone.device).view(3, 1, 1) for v in (backbone.mean, backbone.std))
    return (images.to(backbone.device).float() / 255 - mean) / std


@torch.inference_mode()
def logits(model: nn.Module, images: Tensor, backbone: Backbone, batch: int = BATCH) -> Tensor:
    """uint8 images [N 3 S S] → logits [N C] on the CPU, fp32, `batch` images at a time."""
    model.eval()
    parts = [model(normalised(part, backbone)).float().cpu() for part in images.split(batch)]
    return torch.cat(parts)


def predict(model: nn.Module, images: Tensor, backbone: Backbone, batch: int = BATCH) -> Tensor:
    """uint8 images [N 3 S S] → class probabilities [N C]."""
    return logits(model, images, backbone, batch).softmax(dim=-1)


@torch.inference_mode()
def predict_mixed(
    model: Mixed, images: Tensor, numbers: Sequence[int], backbone: Backbone, batch: int = BATCH
) -> list[Tensor]:
    """uint8 images [N 3 S S], each with the number of its adapter → class probabilities [C] of each, on the CPU."""
    rows = []
    for start in range(0, len(images), batch):
        part = slice(start, start + batch)
        rows += model(normalised(images[part], backbone), numbers[part])
    return [row.float().softmax(dim=-1).cpu() for row in rows]


def score(model: nn.Module, images: Tensor, labels: Tensor, backbone: Backbone, batch: int = BATCH):
    """(mean cross-entropy, accuracy as a fraction of 1) of a model on labelled images [N 3 S S], [N]."""
    out = logits(model, images, backbone, batch)
    return F.cross_entropy(out, labels).item(), (out.argmax(dim=-1) == labels).float().mean().item()
