"""The best state of a run on validation images so far."""

from dataclasses import dataclass, field

from torch import Tensor


@dataclass
class Best:
    """What the adapter was when it did best: higher accuracy, then lower loss."""

    accuracy: float = -1.0
    loss: float = float("inf")
    step: int = 0
    state: dict[str, Tensor] = field(default_factory=dict)

    def beaten_by(self, accuracy: float, loss: float) -> bool:
        return (accuracy, -loss) > (self.accuracy, -self.loss)
