"""What makes a step of a gradient: AdamW, or SGD with momentum."""

from collections.abc import Iterable
from typing import Any

import torch

from ..adapters import Adapter
from ..contracts.specs import Recipe

MOMENTUM = 0.9


def optimizer(adapter: Adapter, recipe: Recipe, recorded: bool = False) -> torch.optim.Optimizer:
    """The recipe's optimiser of all that the adapter learns."""
    groups = adapter.groups(recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, momentum=MOMENTUM)
    return adamw(groups, recorded)


def adamw(groups: Iterable[dict[str, Any]], recorded: bool = False) -> torch.optim.AdamW:
    """AdamW of these groups, each with its "lr".

    Of steps that are `recorded`, rates and counts lie on the device, where a CUDA graph finds them.
    """
    if not recorded:
        return torch.optim.AdamW(groups)
    on_device = [
        {**group, "lr": torch.tensor(group["lr"], device=group["params"][0].device)}
        for group in groups
    ]
    return torch.optim.AdamW(on_device, capturable=True)
