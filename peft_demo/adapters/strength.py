"""More or less of an adapter: what it adds to the backbone, scaled.

Wortsman et al., "Robust fine-tuning of zero-shot models" (WiSE-FT), CVPR 2022, go from the frozen
weights (0) to the adapted ones (1) on a straight line. So do tensors that were trained themselves
here. Of a delta the output takes that way, f(x) + s (δ(f, x) - f(x)): the same where the delta is a
change of weights. The head has nothing frozen to go back to and stays as it is.
"""

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from ..vit import Delta


class Scaled(Delta):
    """A delta, `strength` times what it adds."""

    def __init__(self, delta: Delta, strength: float) -> None:
        super().__init__()
        self.delta = delta
        self.strength = strength

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        return torch.lerp(f(x), self.delta(f, x), self.strength)


def scaled(deltas: Mapping[str, Delta], strength: float) -> Mapping[str, Delta]:
    """The deltas at this strength; themselves at 1."""
    if strength == 1:
        return deltas
    return {name: Scaled(delta, strength) for name, delta in deltas.items()}


def between(frozen: Tensor, trained: nn.Parameter, strength: float) -> nn.Parameter:
    """Of a tensor that was trained itself: the parameter at this strength; itself at 1."""
    if strength == 1:
        return trained
    value = torch.lerp(frozen.detach(), trained.detach().to(frozen), strength)
    return nn.Parameter(value, requires_grad=False)
