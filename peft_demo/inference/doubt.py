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

from ..adapters.class_means import distances
from ..contracts.doubt import STEPS


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
