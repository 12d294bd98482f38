"""How many entries of each matrix are kept: matrices compete by what their numbers matter.

A number w with gradient g matters |w g|. Its mean over the steps, and how much it differs from that
mean, are both averaged exponentially; a matrix scores the mean product of the two over its numbers.
All entries that may change are shared out among the matrices in proportion, in each epoch fewer.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .delta import FIRST_SHARE, SparseKernel

DECAY = 0.85
"""Of both averages in a step."""


class Importance:
    """What the numbers of a tensor have mattered: `mean` and `spread` of |w g|, of its shape."""

    def __init__(self, weights: Tensor):
        self.mean = torch.zeros_like(weights)
        self.spread = torch.zeros_like(weights)

    def add(self, weights: Tensor, gradient: Tensor) -> None:
        now = (weights * gradient).abs().nan_to_num()
        self.mean.lerp_(now, 1 - DECAY)
        self.spread.lerp_((now - self.mean).abs(), 1 - DECAY)

    @property
    def score(self) -> float:
        return (self.mean * self.spread).mean().item()


class Allocator:
    """The `methods.Allocator` of SNELLA. `share` of all entries is kept in the end."""

    def __init__(self, deltas: Mapping[str, SparseKernel], share: float):
        self.deltas = deltas
        self.share = share
        self._importance: dict[str, Importance] = {}

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        if epoch == 0:
            return
        sizes = [delta.size - 1 for delta in self.deltas.values()]
        left = (1 - epoch / epochs) ** 3
        share = self.share + (FIRST_SHARE - self.share) * left
        counts = shared_out(int(share * sum(sizes)), self._scores(), sizes)
        for delta, count in zip(self.deltas.values(), counts, strict=True):
            delta.kept.fill_(count)

    @torch.no_grad()
    def after_step(self) -> None:
        for name, weights in self._weights().items():
            if weights.grad is not None:
                self._of(name, weights).add(weights, weights.grad)

    def state(self) -> dict[str, Tensor]:
        found: dict[str, Tensor] = {}
        for name, weights in self._weights().items():
            importance = self._of(name, weights)
            found[f"{name}.mean"] = importance.mean
            found[f"{name}.spread"] = importance.spread
        return found

    def _scores(self) -> list[float]:
        """Of each delta: both its points' scores, summed."""
        return [
            sum(
                self._of(f"{site}.{name}", delta.get_parameter(name)).score
                for name in delta.matrices
            )
            for site, delta in self.deltas.items()
        ]

    def _weights(self) -> dict[str, Tensor]:
        return {
            f"{site}.{name}": delta.get_parameter(name)
            for site, delta in self.deltas.items()
            for name in delta.matrices
        }

    def _of(self, name: str, weights: Tensor) -> Importance:
        if name not in self._importance:
            self._importance[name] = Importance(weights.detach())
        return self._importance[name]


def shared_out(volume: int, scores: Sequence[float], sizes: Sequence[int]) -> list[int]:
    """`volume` in proportion to the scores, at most its size to each: what one cannot take goes to
    the others, in proportion again. Equal shares where nothing has mattered yet.
    """
    wanted = torch.tensor(scores, dtype=torch.float64)
    room = torch.tensor(sizes, dtype=torch.float64)
    if not wanted.sum() > 0:
        wanted = torch.ones_like(wanted)
    given = torch.zeros_like(room)
    left = float(min(volume, sum(sizes)))
    while left >= 1:
        open_scores = torch.where(given < room, wanted, 0.0)
        if not open_scores.sum() > 0:  # only those that never mattered have room
            open_scores = (given < room).double()
        more = torch.minimum(left * open_scores / open_scores.sum(), room - given)
        given += more
        left -= more.sum().item()
    return given.long().tolist()
