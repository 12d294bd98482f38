"""What makes a step of a gradient: AdamW, or SGD with momentum."""

import torch

from ..adapters import Adapter
from ..contracts.specs import Recipe

MOMENTUM = 0.9


def optimizer(adapter: Adapter, recipe: Recipe) -> torch.optim.Optimizer:
    """The recipe's optimiser of all that the adapter learns."""
    groups = adapter.groups(recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=MOMENTUM)
    return torch.optim.AdamW(groups)
