"""The best state of a run on validation images so far."""

from dataclasses import dataclass, field

from torch import Tensor

from ..adapters import Adapter


@dataclass
class Best:
    """What the adapter was when it did best: higher accuracy, then lower loss."""

    accuracy: float = -1.0
    loss: float = float("inf")
    step: int = 0
    state: dict[str, Tensor] = field(default_factory=dict)
    logits: Tensor | None = None
    """What it said of the validation images [N C]; None where nobody asked, or in a run that was
    resumed."""

    def beaten_by(self, accuracy: float, loss: float) -> bool:
        return (accuracy, -loss) > (self.accuracy, -self.loss)

    @classmethod
    def now(
        cls,
        adapter: Adapter,
        accuracy: float,
        loss: float,
        step: int,
        logits: Tensor | None = None,
    ) -> "Best":
        """The adapter as it is at this step, copied."""
        state = {name: tensor.detach().clone() for name, tensor in adapter.state().items()}
        return cls(accuracy, loss, step, state, logits)

    def restore(self, adapter: Adapter) -> None:
        """Makes the adapter what it was then."""
        for name, tensor in adapter.state().items():
            tensor.data.copy_(self.state[name])
