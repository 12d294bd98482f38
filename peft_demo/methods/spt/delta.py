"""What SPT puts at a linear: single entries of its weight and bias, and a structured module.

    entries          y = x (W + scatter(δ))ᵀ + b + scatter(δ_b),     δ = 0 at the start
    SPT-LoRA         y = x Wᵀ + b + drop(x Aᵀ) Bᵀ
    SPT-Adapter      y = x Wᵀ + b;   y + drop(GELU(y A_dᵀ + a)) A_uᵀ + c

A linear may have both, as its bias may train beside a module.
"""

from dataclasses import dataclass
from math import sqrt
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...contracts.errors import BadAdapter
from ...contracts.knobs import knob
from ...vit import Delta, Site
from ...vit.seam import bias

MOST_COLUMNS = 1 / 3
"""Columns of x that are kept instead of x, of D_in at most: q, k and v, which read the same x, then
never keep more than x."""


@dataclass(frozen=True)
class Config:
    """Knobs of SPT."""

    budget: float = knob(
        0.466, "Budget", low=0.2, high=10.0, info="trainable parameters, % of the backbone"
    )
    as_lora: bool = knob(
        False,
        "As many as LoRA",
        info="trains as many numbers as LoRA of this rank on q and v, whatever the budget",
        advanced=True,
    )
    rank: int = knob(8, "Rank", low=1, high=64, info="r, width of a structured module")
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )
    fill: bool = knob(
        True,
        "Fill up",
        info="the budget, where the nearest choice is more than 5 % off; the authors do not",
        advanced=True,
    )


class Places(NamedTuple):
    """Where single entries of a linear train: flat positions, ascending, int32; None for
    nowhere."""

    entries: Tensor | None
    """In the weight."""
    shift: Tensor | None
    """In the bias."""
    whole_bias: bool
    """Whether the whole bias trains instead."""


def added(tensor: Tensor, at: Tensor, values: Tensor) -> Tensor:
    """A copy of `tensor` with `values` [K] added at the flat positions `at` [K]."""
    return tensor.flatten().index_add(0, at, values.to(tensor.dtype)).view_as(tensor)


class SparseLinear(torch.autograd.Function):
    """x (W + scatter(δ))ᵀ + b.

    The gradient of δ is computed at its places only: no dense gradient of W is ever made. Of x it
    keeps the columns that δ reads where these are few.
    """

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, W: Tensor, b: Tensor | None, at: Tensor, values: Tensor
    ) -> Tensor:
        """y [... D_out] of x [... D_in], W [D_out D_in], b [D_out]; δ is `values` [K] at `at`
        [K]."""
        D_in = W.shape[1]
        ctx.few = len(at) <= MOST_COLUMNS * D_in
        kept = columns(x, at % D_in) if ctx.few else x
        ctx.save_for_backward(kept, W, at, values)
        return F.linear(x, added(W, at, values), b)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of x, b and δ."""
        (dy,) = grad_outputs
        kept, W, at, values = ctx.saved_tensors
        x_learns, _, b_learns, _, _ = ctx.needs_input_grad
        D_in = W.shape[1]
        dx = (dy @ added(W, at, values).to(dy.dtype)).to(kept.dtype) if x_learns else None
        db = dy.flatten(0, -2).sum(0) if b_learns else None
        inputs = kept if ctx.few else columns(kept, at % D_in)
        outputs = columns(dy, at // D_in)
        return dx, None, db, None, (outputs * inputs).sum(0, dtype=values.dtype)


def columns(x: Tensor, at: Tensor) -> Tensor:
    """The channels `at` [K] of x [... D], as [N K].

    On a CPU, gather is as fast as index_select in fp32, five times as fast in bf16, and four times
    as fast as [:, at].
    """
    inputs = x.flatten(0, -2)
    return inputs.gather(1, at.expand(len(inputs), -1))


class Entries(Delta):
    """x (W + scatter(δ))ᵀ + b + shift around a linear.

    `entries` is δ [K] at the flat positions `entries_at`; `shift` is [D_out] whole, or [K'] at
    `shift_at`. Each may be absent.
    """

    entries_at: Tensor | None
    shift_at: Tensor | None

    def __init__(self, site: Site, config: Config, places: Places):
        super().__init__()
        self.sizes = {"entries_at": site.d_in * site.d_out, "shift_at": site.d_out}
        self.register_buffer("entries_at", places.entries)
        self.register_buffer("shift_at", places.shift)
        self.entries = _zeros(0 if places.entries is None else len(places.entries))
        if places.whole_bias:
            self.shift = _zeros(site.d_out)
        else:
            self.shift = _zeros(0 if places.shift is None else len(places.shift))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        b = self._bias(f)
        if self.entries_at is None:
            return F.linear(x, f.weight, b)
        return SparseLinear.apply(x, f.weight, b, self.entries_at.long(), self.entries)

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor] | None:
        return self.with_entries(f)

    def with_entries(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        """W and b of the linear with the entries and the shift added."""
        W = f.weight
        if self.entries_at is not None and self.entries is not None:
            W = added(W, self.entries_at.long(), self.entries)
        b = self._bias(f)
        return W, bias(f) if b is None else b

    def check(self) -> None:
        for name, at in self.named_buffers():
            size = self.sizes[name]
            if at.min() < 0 or at.max() >= size or (at.diff() <= 0).any():
                raise BadAdapter(
                    f"{name} holds positions that are not ascending from 0 to {size - 1}."
                )

    def _bias(self, f: nn.Linear) -> Tensor | None:
        if self.shift is None:
            return f.bias
        if self.shift_at is None:
            return f.bias + self.shift
        return added(f.bias, self.shift_at.long(), self.shift)


class LowRankEntries(Entries):
    """SPT-LoRA's module beside the entries: `down` A [R D_in] and `up` B [D_out R]."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config, places: Places):
        super().__init__(site, config, places)
        self.down = nn.Parameter(torch.empty(config.rank, site.d_in))
        self.up = nn.Parameter(torch.zeros(site.d_out, config.rank))
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        z = F.linear(x, self.down)
        z = F.dropout(z, self.dropout, self.training)
        return super().forward(f, x) + F.linear(z, self.up)

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor] | None:
        W, b = self.with_entries(f)
        return torch.addmm(W, self.up, self.down), b

    @staticmethod
    def cost(site: Site, rank: int) -> int:
        """Parameters of the module."""
        return rank * (site.d_in + site.d_out)


class Bottleneck(Entries):
    """SPT-Adapter's module after the entries, on the linear's output.

    The parameters are `down` A_d [R D_out] and `up` A_u [D_out R] with their biases a and c.
    """

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config, places: Places):
        super().__init__(site, config, places)
        D = site.d_out
        R = config.rank
        self.down = nn.Parameter(torch.empty(R, D))
        self.down_bias = nn.Parameter(torch.zeros(R))
        self.up = nn.Parameter(torch.zeros(D, R))
        self.up_bias = nn.Parameter(torch.zeros(D))
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        y = super().forward(f, x)
        z = F.gelu(F.linear(y, self.down, self.down_bias))
        z = F.dropout(z, self.dropout, self.training)
        return y + F.linear(z, self.up, self.up_bias)

    def merged(self, f: nn.Linear) -> None:
        """None: it is not linear."""

    @staticmethod
    def cost(site: Site, rank: int) -> int:
        """Parameters of the module."""
        return 2 * rank * site.d_out + rank + site.d_out


Module = type[LowRankEntries] | type[Bottleneck]
"""The structured module of a method."""


def _zeros(size: int) -> nn.Parameter | None:
    return nn.Parameter(torch.zeros(size)) if size else None
