"""The state of a run that is kept: its last one, unless validation images tell of a better one.

A few validation images choose among ten states mostly by chance, and the last one has the smallest
learning rate behind it. It is kept unless an earlier one was better by more than chance.
"""

from dataclasses import dataclass, field

from torch import Tensor

from ..adapters import Adapter


@dataclass
class Kept:
    """What the adapter was at a validation, and what came of it there."""

    accuracy: float = -1.0
    loss: float = float("inf")
    step: int = 0
    state: dict[str, Tensor] = field(default_factory=dict)
    logits: Tensor | None = None
    """What it said of the validation images [N C]; None where nobody asked, or in a run that was
    resumed."""

    def beaten_by(self, accuracy: float, loss: float) -> bool:
        """Higher accuracy, then lower loss."""
        return (accuracy, -loss) > (self.accuracy, -self.loss)

    @classmethod
    def now(
        cls,
        adapter: Adapter,
        accuracy: float,
        loss: float,
        step: int,
        logits: Tensor | None = None,
    ) -> "Kept":
        """The adapter as it is at this step, copied."""
        state = {name: tensor.detach().clone() for name, tensor in adapter.state().items()}
        return cls(accuracy, loss, step, state, logits)

    def restore(self, adapter: Adapter) -> None:
        """Makes the adapter what it was then."""
        for name, tensor in adapter.state().items():
            tensor.data.copy_(self.state[name])


def clearly_worse(accuracy: float, highest: float, images: int) -> bool:
    """Whether an accuracy on so many images is lower than the highest by more than chance: by two
    standard errors of such an accuracy."""
    middle = (accuracy + highest) / 2
    return highest - accuracy > 2 * (middle * (1 - middle) / images) ** 0.5
