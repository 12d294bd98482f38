"""RLRR: every frozen matrix is rescaled, entry by entry, by a residual of rank one.

Dong et al., "Low-Rank Rescaled Vision Transformer Fine-Tuning: A Residual Design Approach", CVPR
2024. On q, k, v, proj, fc1 and fc2, in torch's layout W [D_out D_in]:

    y = W' x + b + f,     W' = W + s_left ⊙ W ⊙ s_rightᵀ = W ⊙ (1 + s_out s_in)

with s_in [1 D_in] (the paper's s_left), s_out [D_out 1] (its s_right) and f [D_out] = `shift`. Both
norms, the final norm and the patch tokens take SSF's scale and shift (see `ssf`). Nothing is
shared, and there is no activation and no dropout.

Start, as in the authors' code: s_in and s_out are Kaiming-uniform in these shapes, f is zero, SSF
is from N(1, 0.02²) and N(0, 0.02²). The bounds of s are √(6/D_in) and √6, so the product jitters
each weight by about 7 % and the model does *not* start as the frozen one. `start="zero"` (ours) has
s_out = 0 and SSF at 1 and 0. Both s at zero would be a dead point: the gradient of their product is
zero there for ever.

On a Swin, as in the authors' code: qkv is one matrix, the reductions between the stages stand in
the place of the patches, and there is no SSF on these nor on the reductions' norms.

The frozen map is read and never called, and W' is one matrix the size of W per step: its gradient
takes one product, where staying on the activations would take one more in the forward and one more
in the backward pass (35 % slower). On the way back W' is computed again instead of being kept. The
authors' branch dropout, which they call drop path, belongs to the recipe of the backbone and is
left out.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import SCALING
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from ..vit.seam import bias
from ..vit.sites import LINEARS, MAPS, QKV
from . import Method, Parts, targets_knob
from .ssf import ScaleShift

SWIN_LINEARS = ("qkv", "reduction")
"""The linears that a Swin has instead of q, k and v, and of the patches."""
TARGETS = ("patch", *MAPS, "norm")


@dataclass(frozen=True)
class Config:
    """Knobs of RLRR."""

    targets: tuple[str, ...] = targets_knob(
        TARGETS, TARGETS, "linears to rescale; norms and patches take SSF"
    )
    start: str = knob(
        "random",
        "Start",
        choices=("random", "zero"),
        info="zero: as the frozen model",
        advanced=True,
    )


def rescaled(W: Tensor, s_out: Tensor, s_in: Tensor) -> Tensor:
    """W' = W ⊙ (1 + s_out s_in), [D_out D_in]."""
    return torch.addcmul(W, W, s_out * s_in)


class RescaledLinear(torch.autograd.Function):
    """x W'ᵀ + b. W' is computed again on the way back, and nothing of W's size is kept."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, W: Tensor, b: Tensor, s_out: Tensor, s_in: Tensor) -> Tensor:
        """y [... D_out] of x [... D_in], W [D_out D_in], b [D_out], s_out [D_out 1], s_in
        [1 D_in]."""
        ctx.save_for_backward(x, W, s_out, s_in)
        return F.linear(x, rescaled(W, s_out, s_in), b)

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of x, b, s_out and s_in."""
        (dy,) = grad_outputs
        x, W, s_out, s_in = ctx.saved_tensors
        inputs = x.flatten(0, -2)
        outputs = dy.flatten(0, -2)
        dx = None
        if ctx.needs_input_grad[0]:
            dx = (dy @ rescaled(W, s_out, s_in).to(dy.dtype)).to(x.dtype)
        along = (outputs.T @ inputs.to(dy.dtype)) * W
        return dx, None, outputs.sum(0), along @ s_in.T, s_out.T @ along


class Rescaled(Delta):
    """F.linear(x, W ⊙ (1 + s_out s_in), b + shift).

    `s_out` is [D_out 1], `s_in` is [1 D_in], and `shift` is [D_out].
    """

    def __init__(self, site: Site, start: str):
        super().__init__()
        self.s_in = nn.Parameter(torch.empty(1, site.d_in))
        self.s_out = nn.Parameter(torch.zeros(site.d_out, 1))
        self.shift = nn.Parameter(torch.zeros(site.d_out))
        nn.init.kaiming_uniform_(self.s_in)
        if start == "random":
            nn.init.kaiming_uniform_(self.s_out)

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        b = bias(f) + self.shift
        return RescaledLinear.apply(x, f.weight, b, self.s_out, self.s_in)

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        return rescaled(f.weight, self.s_out, self.s_in), bias(f) + self.shift


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A residual at every linear among the targets, SSF at the others."""
    return Parts({s.name: _delta(s)(s, config.start) for s in _sites(anatomy, config)})


def count(anatomy: Anatomy, config: Config) -> int:
    """D_in + 2·D_out for each linear, 2·D for each norm and for the patches."""
    total = 0
    for site in _sites(anatomy, config):
        total += 2 * site.d_out
        if _delta(site) is Rescaled:
            total += site.d_in
    return total


def _sites(anatomy: Anatomy, config: Config) -> list[Site]:
    if not anatomy.staged:
        return anatomy.at(*config.targets)
    swin = {"patch": "reduction"}
    if set(QKV) <= set(config.targets):
        for role in QKV:
            swin[role] = "qkv"
    roles = [swin.get(role, role) for role in config.targets]
    return anatomy.at(*dict.fromkeys(roles))


def _delta(site: Site) -> type[Rescaled] | type[ScaleShift]:
    return Rescaled if site.role in LINEARS + SWIN_LINEARS else ScaleShift


def _starts_as_frozen(config: Config) -> bool:
    return config.start == "zero"


RLRR = Method(
    name="rlrr",
    title="RLRR",
    summary="Rescales every weight by a rank-one residual and shifts the biases; it folds away.",
    formula="y = (W ⊙ (1 + s_out s_inᵀ)) x + b + f",
    paper="Dong et al., Low-Rank Rescaled Vision Transformer Fine-Tuning: A Residual Design"
    " Approach, CVPR 2024",
    url="https://arxiv.org/abs/2403.19067",
    family=SCALING,
    sites=TARGETS,
    Config=Config,
    build=build,
    count=count,
    lr=9e-3,
    identity=_starts_as_frozen,
)
