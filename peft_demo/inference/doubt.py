"""Whether a picture is of any class at all: how far its features are from the mean of each class.

The distance is 1 - cos(h, m_c) to the nearest class c, with h the features that the head is given
and m_c the mean of the training images' features. It was chosen by measurement among ten rules
(`docs/doubt.md`): it sees nearly all that is of no class, with any method, and takes D bytes a
class; probabilities alone see half of it.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..contracts.doubt import STEPS

_LARGEST = 127


def class_means(features: Tensor, labels: Tensor, classes: int) -> Tensor:
    """The mean features of each class, int8 [C D], of features [N D] with labels [N].

    Each row has a scale of its own, which a cosine does not see. A class without images has zeros.
    """
    members = F.one_hot(labels, classes).T.to(features)
    means = members @ features
    largest = means.abs().amax(dim=1, keepdim=True).clamp_min(torch.finfo(means.dtype).tiny)
    return (means / largest * _LARGEST).round().to(torch.int8)


def distances(features: Tensor, means: Tensor) -> Tensor:
    """Cosine distance [N], 0 to 2, from features [N D] to the nearest class mean [C D]."""
    features = features.float()
    cosines = F.normalize(features, dim=1) @ F.normalize(means.to(features), dim=1).T
    return (1 - cosines.amax(dim=1)).clamp(0, 2)


def quantiles(distances: Tensor) -> tuple[float, ...]:
    """What a card keeps of the distances [N] of validation images."""
    places = torch.linspace(0, 1, STEPS)
    values = torch.quantile(distances.float().cpu(), places, interpolation="higher")
    return tuple(round(value, 6) for value in values.tolist())


def doubts(features: Tensor, means: Tensor, known: Sequence[float]) -> Tensor:
    """Doubt [N], 0 to 1, on the CPU, about images with features [N D].

    `known` are the `quantiles` of validation images.
    """
    found = distances(features, means).cpu().numpy()
    return torch.from_numpy(np.interp(found, known, np.linspace(0, 1, len(known)))).float()
