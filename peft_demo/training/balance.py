"""Classes of different size made to count the same, in how often they are drawn or in the loss.

Where every class has as many training images, both leave a run what it is but for chance.
"""

import torch
from torch import Tensor
from torch.nn import functional as F


def epoch(labels: Tensor, balance: str, generator: torch.Generator) -> Tensor:
    """The order in which an epoch takes images with labels [N] on the CPU: their numbers [N]."""
    if balance == "sampling":
        return even_draws(labels, generator)
    return torch.randperm(len(labels), generator=generator)


def loss_weights(labels: Tensor, balance: str) -> Tensor | None:
    """What the loss of each image counts [N], None where all count the same."""
    return even_weights(labels) if balance == "weights" else None


def mean_loss(logits: Tensor, labels: Tensor, smoothing: float, weights: Tensor | None) -> Tensor:
    """The mean cross-entropy of logits [B C] for labels [B], of images that count `weights` [B]."""
    if weights is None:
        return F.cross_entropy(logits, labels, label_smoothing=smoothing)
    losses = F.cross_entropy(logits, labels, label_smoothing=smoothing, reduction="none")
    return (weights * losses).mean()


def even_weights(labels: Tensor) -> Tensor:
    """For each image of labels [N] a weight inverse to the size of its class, fp32 [N].

    Their mean is 1, so the learning rate keeps its meaning, and those of each class have the same
    sum.
    """
    _, members, sizes = labels.unique(return_inverse=True, return_counts=True)
    return len(labels) / (len(sizes) * sizes[members]).float()


def even_draws(labels: Tensor, generator: torch.Generator) -> Tensor:
    """An epoch of N draws from images with labels [N] on the CPU, in random order: numbers [N].

    Each class is drawn equally often; where N does not divide, chance says which are drawn once
    more. No image is drawn again before all of its class have been drawn.
    """
    classes = labels.unique()
    each, left = divmod(len(labels), len(classes))
    extra = torch.randperm(len(classes), generator=generator) < left
    draws = [
        _drawn((labels == label).nonzero().flatten(), each + int(once_more), generator)
        for label, once_more in zip(classes, extra, strict=True)
    ]
    order = torch.randperm(len(labels), generator=generator)
    return torch.cat(draws)[order]


def _drawn(members: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """So many draws from the members of a class: all of them in turns, each turn shuffled."""
    turns = -(-count // len(members))
    shuffled = [torch.randperm(len(members), generator=generator) for _ in range(turns)]
    return members[torch.cat(shuffled)[:count]]
