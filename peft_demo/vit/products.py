"""Low-rank products at a linear: what they are, several as one, and folded into its weight.

While it learns, LoRA as it is written multiplies the tokens by W, by `down` and by `up`, and adds
up. Folded, it multiplies them once, by W' = W + up down, which is made anew in each step and is
small beside the tokens of a batch. The gradients are the same, and that of W', which full
fine-tuning pays for, is never formed:

    z = x downᵀ,     ∂x = ∂y W',     ∂down = (∂y up)ᵀ x,     ∂up = ∂yᵀ z.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class LowRank(NamedTuple):
    """δ(f, x) = f(x) + (x downᵀ) upᵀ + shift, with `down` [R D_in] and `up` [D_out R].

    `shift` is [D_out], or None where there is none.
    """

    down: Tensor
    up: Tensor
    shift: Tensor | None = None


def side_by_side(d_out: int, parts: Sequence[tuple[slice, LowRank]]) -> LowRank:
    """One product of several that each reach some of the `d_out` rows of a linear."""
    down = torch.cat([product.down for _, product in parts])
    up = torch.cat([_at(rows, product.up, d_out) for rows, product in parts], dim=1)
    shifts = [
        _at(rows, product.shift[:, None], d_out)[:, 0]
        for rows, product in parts
        if product.shift is not None
    ]
    return LowRank(down, up, torch.stack(shifts).sum(dim=0) if shifts else None)


def _at(rows: slice, part: Tensor, d_out: int) -> Tensor:
    """The matrix [d_out R] that is `part` [len(rows) R] in these rows and zero elsewhere."""
    return F.pad(part, (0, 0, rows.start, d_out - rows.stop))


def folded(x: Tensor, W: Tensor, b: Tensor | None, product: LowRank) -> Tensor:
    """x (W + up down)ᵀ + b + shift, for frozen W [D_out D_in] and b [D_out]: [... D_in] → [...
    D_out].

    It multiplies in the type of `x`, whatever autocast says.
    """
    b = product.shift if b is None else b if product.shift is None else b + product.shift
    return _Folded.apply(x, W, b, product.down, product.up)


class _Folded(torch.autograd.Function):
    """Keeps x, W', `down` and `up` for the way back."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, W: Tensor, b: Tensor | None, down: Tensor, up: Tensor
    ) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            down, up = down.to(W), up.to(W)
            folded = torch.addmm(W, up, down).to(x)
            ctx.save_for_backward(x, folded, down.to(x), up.to(x))
            return F.linear(x, folded, None if b is None else b.to(x))

    @staticmethod
    def backward(ctx: Any, *gradients: Any) -> tuple[Tensor | None, ...]:
        x, folded, down, up = ctx.saved_tensors
        dy = gradients[0].flatten(0, -2)
        tokens = x.flatten(0, -2)
        wanted = ctx.needs_input_grad
        dx = (dy @ folded).view_as(x) if wanted[0] else None
        db = dy.sum(dim=0) if wanted[2] else None
        d_down = (dy @ up).T @ tokens if wanted[3] else None
        d_up = dy.T @ (tokens @ down.T) if wanted[4] else None
        return dx, None, db, d_down, d_up
