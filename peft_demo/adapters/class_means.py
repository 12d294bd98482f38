"""The mean features of each class, which an adapter's file may keep, and how far a picture is from
them: by that a picture of none of the classes is told (`inference.doubt`).
"""

import torch
from torch import Tensor
from torch.nn import functional as F

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
