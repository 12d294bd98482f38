"""Answers without learning: logits of images, accuracy and loss of a model on them."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..adapters import Mixed
from ..vit import Backbone
from .inputs import CachedFeatures, ImageInputs, normalize

BATCH = 64


def logits(model: nn.Module, images: Tensor, backbone: Backbone, batch: int = BATCH) -> Tensor:
    """uint8 images [N 3 S S] → logits [N C] on the CPU, fp32, `batch` images at a time."""
    return predict_logits(model, ImageInputs(images, backbone), batch)


@torch.inference_mode()
def predict_logits(
    model: nn.Module, shown: ImageInputs | CachedFeatures, batch: int = BATCH
) -> Tensor:
    """Logits [N C] on the CPU, fp32, of a model for pictures, or of a head for features."""
    model.eval()
    return torch.cat(
        [model(shown[part]).float().cpu() for part in torch.arange(len(shown)).split(batch)]
    )


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
        rows += model(normalize(images[part], backbone), numbers[part])
    return [row.float().softmax(dim=-1).cpu() for row in rows]


def score(model: nn.Module, images: Tensor, labels: Tensor, backbone: Backbone, batch: int = BATCH):
    """(mean cross-entropy, accuracy as a fraction of 1) of a model on labelled images [N 3 S S], [N]."""
    return loss_and_accuracy(logits(model, images, backbone, batch), labels)


def loss_and_accuracy(out: Tensor, labels: Tensor) -> tuple[float, float]:
    """(mean cross-entropy, accuracy as a fraction of 1) of logits [N C] for labels [N]."""
    return F.cross_entropy(out, labels).item(), (out.argmax(dim=-1) == labels).float().mean().item()


def top_classes(
    probabilities: Tensor, classes: Sequence[str], top: int
) -> tuple[tuple[str, float], ...]:
    """The `top` (class, probability) of probabilities [C], best first."""
    named = zip(classes, probabilities.tolist(), strict=True)
    return tuple(sorted(named, key=lambda pair: -pair[1])[:top])
