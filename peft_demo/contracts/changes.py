"""What an adapter changed in its backbone, as figures: place by place, and what it all takes."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

LEADING = 32
"""Singular values that are kept of each matrix, the largest."""
BINS = 40
"""Bins of a histogram of cosines, of equal width from -1 to 1."""
MOST_VALUES = 128
"""Numbers of a vector that is kept as it is: coefficients of a rank, not of a width."""
MOST_LEVELS = 16
"""Most values that a matrix takes which counts as quantised: up to four bits."""

KINDS = (
    *("block", "attn", "norm1", "qkv", "q", "k", "v", "proj"),
    *("mlp", "norm2", "fc1", "fc2"),
)
"""Kinds of places in a block, in the order in which a token passes them."""


def kind_rank(kind: str) -> int:
    """The place of a kind in that order; others come last."""
    return KINDS.index(kind) if kind in KINDS else len(KINDS)


@dataclass(frozen=True)
class WeightChange:
    """W became W + ΔW and b became b + Δb, as merging would write them. Norms are Frobenius's."""

    shape: tuple[int, ...]
    """Of W."""
    weight_norm: float
    change_norm: float
    """‖ΔW‖"""
    bias_norm: float
    """‖b‖, 0 where there is no bias."""
    shift_norm: float
    """‖Δb‖"""
    share: float
    """Of the numbers in W that changed, a fraction of 1."""
    effective_rank: float | None = None
    """exp(H) with H the entropy of ΔW's singular values over their sum (Roy & Vetterli, "The
    effective rank: a measure of effective dimensionality", EUSIPCO 2007). None where ΔW is zero or
    W is a vector."""
    before: tuple[float, ...] = ()
    """Singular values of W, the `LEADING` largest; nothing where W is a vector."""
    change: tuple[float, ...] = ()
    """Those of ΔW."""
    after: tuple[float, ...] = ()
    """Those of W + ΔW."""

    @property
    def relative(self) -> float | None:
        """‖ΔW‖ / ‖W‖; None where W is zero."""
        return self.change_norm / self.weight_norm if self.weight_norm else None

    @property
    def relative_shift(self) -> float | None:
        """‖Δb‖ / ‖b‖; None where b is zero or absent."""
        return self.shift_norm / self.bias_norm if self.bias_norm else None


@dataclass(frozen=True)
class TrainedTensor:
    """A tensor of the adapter."""

    name: str
    shape: tuple[int, ...]
    norm: float
    shared: bool = False
    """Whether several places use it."""
    values: tuple[float, ...] = ()
    """The numbers themselves of a vector of at most `MOST_VALUES`: ARC's coefficients, HTA's
    diagonal, RLRR's and SSF's scales where the backbone is narrow."""


@dataclass(frozen=True)
class Directions:
    """The rows of a matrix, or its columns where these are fewer: directions that it reads or
    writes. Rows of zeros are left out."""

    name: str
    vectors: int
    length: int
    """Numbers in each."""
    shortest: float
    longest: float
    """Norms of the vectors."""
    drift: float
    """‖G − I‖, G the cosines between all pairs: 0 where they are orthogonal."""
    mean_cosine: float | None
    """Mean |cosine| over all pairs; None where there is one vector only."""
    cosines: tuple[float, ...] = ()
    """Share of the pairs in each of the `BINS`."""
    frozen_cosines: tuple[float, ...] = ()
    """The same of the rows or columns of the frozen weight that have as many numbers; nothing where
    there are none."""
    frozen_mean_cosine: float | None = None
    levels: tuple[tuple[float, float], ...] = ()
    """(value, share of the numbers) of each value that a quantised matrix takes, ascending."""


@dataclass(frozen=True)
class Change:
    """What the adapter does at one place."""

    place: str
    """Name of the site, or of the backbone's tensor: "blocks.3.q", "cls_token"."""
    kind: str
    """Role of the site, or the last part of the tensor's name."""
    layer: int
    """Index of its block, counted through all stages; -1 outside the blocks."""
    trainable: int
    """Trained numbers that are of this place alone."""
    weight: WeightChange | None = None
    """None where no weight changes; `why` says why."""
    why: str = ""
    tensors: tuple[TrainedTensor, ...] = ()
    directions: tuple[Directions, ...] = ()

    @property
    def size(self) -> float:
        """How much it changed, for an order: relative to the weight, else to the bias."""
        if self.weight is None:
            return 0.0
        return self.weight.relative or self.weight.relative_shift or 0.0


@dataclass(frozen=True)
class Changes:
    """What an adapter changed, from its file and the backbone alone. The head is left out."""

    method: str
    backbone: str
    trainable: int
    """Trained numbers without the head."""
    shared: int
    """Those of them that several places use."""
    changes: tuple[Change, ...]
    """In the order in which an image passes the places, as far as they are sites."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the method decided before training (SPT's allocation), as in the adapter's card."""

    @property
    def largest(self) -> Change | None:
        """The place that changed most, the first of several; None where there is no place."""
        return max(self.changes, key=lambda change: change.size, default=None)

    def to_json(self) -> dict[str, Any]:
        """JSON values, with the relative sizes."""
        plain = asdict(self)
        for change, values in zip(self.changes, plain["changes"], strict=True):
            if change.weight is not None:
                values["weight"]["relative"] = change.weight.relative
                values["weight"]["relative_shift"] = change.weight.relative_shift
        return plain
