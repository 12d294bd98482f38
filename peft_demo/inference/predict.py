"""Answers: logits and class probabilities of images, and how good they are."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.errors import BadAdapter
from ..vit import Backbone
from .inputs import CachedFeatures, ImageInputs

BATCH = 64
"""Images of `BATCH_SIZE` px or less in one forward pass, see `batch_at`."""
BATCH_SIZE = 224


def batch_at(size: int) -> int:
    """Images of `size` px in one forward pass: fewer of large ones.

    There are as many tokens as pixels, and attention may hold a number for each pair of them.
    """
    return max(1, int(BATCH * min(1, BATCH_SIZE / size) ** 4))


def outputs(model: nn.Module, images: Tensor, backbone: Backbone, batch: int = 0) -> Tensor:
    """uint8 images [N 3 S S] → logits [N C], or features [N D] of a model without its head, on the
    CPU, fp32, `batch` images at a time (0: as many as `batch_at` says)."""
    return predict_logits(model, ImageInputs(images, backbone), batch or batch_at(backbone.size))


@torch.inference_mode()
def predict_logits(
    model: nn.Module, inputs: ImageInputs | CachedFeatures, batch: int = BATCH
) -> Tensor:
    """Logits [N C] on the CPU, fp32, of a model for images, or of a head for features."""
    model.eval()
    batches = torch.arange(len(inputs)).split(batch)
    return torch.cat([model(inputs[chosen]).float().cpu() for chosen in batches])


def score(
    model: nn.Module, images: Tensor, labels: Tensor, backbone: Backbone, batch: int = 0
) -> tuple[float, float]:
    """(mean cross-entropy, accuracy as a fraction of 1) on images [N 3 S S] with labels [N]."""
    return loss_and_accuracy(outputs(model, images, backbone, batch), labels)


def loss_and_accuracy(logits: Tensor, labels: Tensor) -> tuple[float, float]:
    """(mean cross-entropy, accuracy as a fraction of 1) of logits [N C] for labels [N]."""
    loss = F.cross_entropy(logits, labels)
    correct = logits.argmax(dim=-1) == labels
    return loss.item(), correct.float().mean().item()


def top_classes(
    probabilities: Tensor, classes: Sequence[str], top: int
) -> tuple[tuple[str, float], ...]:
    """The `top` (class, probability) of probabilities [C], best first.

    Raises `BadAdapter` if they are not finite.
    """
    check_finite(probabilities)
    named = zip(classes, probabilities.tolist(), strict=True)
    best_first = sorted(named, key=lambda pair: -pair[1])
    return tuple(best_first[:top])


def check_finite(probabilities: Tensor) -> None:
    """`BadAdapter` if an answer contains a value that is not a finite number.

    A file's weights are finite, but products of very large ones are not.
    """
    if not probabilities.isfinite().all():
        raise BadAdapter(
            "this adapter's answer contains a value that is not a finite number.",
            "Its weights are too large: train it again, with a lower learning rate.",
        )
