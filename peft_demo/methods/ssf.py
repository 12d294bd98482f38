"""SSF: the output of every operation is scaled and shifted, channel by channel.

Lian et al., "Scaling & Shifting Your Features: A New Baseline for Efficient Model Tuning", NeurIPS
2022, eq. 2:

    y = γ ⊙ f(x) + β,     γ [D_out] from N(1, 0.02²), β [D_out] from N(0, 0.02²)

after the patch embedding, both norms, qkv (fused: one γ of 3D), proj, fc1, fc2 and the final norm,
as in the authors' code. The random start is theirs; `start="zero"` (ours) begins at γ = 1, β = 0,
the frozen model.

On a Swin, `patch` is the norm that its patch embedding ends in, and the norms before patches are
merged between stages. (The authors have one pair more, before the first of these norms.)

It folds away, as each operation is affine at its end. Where the patch embedding has no bias, the
shift folds into the position embedding. Under autocast γ and β take the precision of f(x), as
weights do.

A training step keeps little. In a norm, γ and β go into the norm's own weight and bias, so f(x) is
never made. What follows qkv and fc1 keeps y, and the gradient of γ is had from y, as in Rota Bulò
et al., "In-Place Activated BatchNorm for Memory-Optimized Training of DNNs", CVPR 2018:

    dγ = Σ dy ⊙ f(x) = Σ dy ⊙ (y − β) / γ

Where a γ is too near zero for that, and on a GPU, f(x) is kept.
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
from ..vit.sites import FUSED_MAPS
from . import Method, Parts, targets_knob

TARGETS = ("patch", *FUSED_MAPS, "norm")
STD = 0.02
"""Standard deviation of the random start."""
KEPT = ("qkv", "fc1")
"""Roles whose output is kept for the way back by what follows, attention or activation."""
LEAST = 0.125
"""The least |γ| / (1 + |β|) with which f(x) is had from y, as a division by γ enlarges the rounding
of y. Trained adapters have 0.6 and more."""


@dataclass(frozen=True)
class Config:
    """Knobs of SSF."""

    targets: tuple[str, ...] = targets_knob(
        TARGETS, TARGETS, "operations whose output is scaled and shifted"
    )
    start: str = knob(
        "random",
        "Start",
        choices=("random", "zero"),
        info="zero: as the frozen model",
        advanced=True,
    )


class ScaledAndShifted(torch.autograd.Function):
    """γ ⊙ f(x) + β, which keeps its result alone. No γ is zero."""

    @staticmethod
    def forward(ctx: Any, fx: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """y [... D_out] of f(x) [... D_out], γ [D_out] and β [D_out]."""
        y = torch.addcmul(shift, fx, scale)
        ctx.save_for_backward(y, scale, shift)
        return y

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Tensor) -> tuple[Tensor | None, ...]:
        """The gradients of f(x), γ and β."""
        (dy,) = grad_outputs
        y, scale, shift = ctx.saved_tensors
        tokens = tuple(range(dy.ndim - 1))
        dfx = dy * scale if ctx.needs_input_grad[0] else None
        dscale = ((y - shift) * dy).sum(tokens) / scale
        return dfx, dscale, dy.sum(tokens)


class ScaleShift(Delta):
    """γ ⊙ f(x) + β, with γ = `scale` and β = `shift`, both [D_out]."""

    def __init__(self, site: Site, start: str):
        super().__init__()
        self.kept = site.role in KEPT
        self.scale = nn.Parameter(torch.ones(site.d_out))
        self.shift = nn.Parameter(torch.zeros(site.d_out))
        if start == "random":
            nn.init.normal_(self.scale, mean=1.0, std=STD)
            nn.init.normal_(self.shift, std=STD)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        if self.training and isinstance(f, nn.LayerNorm) and f.weight is not None:
            return self._normed(f, x)
        y = f(x)
        scale = self.scale.to(y.dtype)
        shift = self.shift.to(y.dtype)
        if self.kept and self.training and self._invertible(y):
            return ScaledAndShifted.apply(y, scale, shift)
        return torch.addcmul(shift, y, scale)

    def _normed(self, f: nn.LayerNorm, x: Tensor) -> Tensor:
        """γ ⊙ (x̂ ⊙ w + b) + β = x̂ ⊙ (γ ⊙ w) + (γ ⊙ b + β): a norm with other weights."""
        w = self.scale * f.weight
        b = self.shift if f.bias is None else torch.addcmul(self.shift, self.scale, f.bias)
        return F.layer_norm(x, f.normalized_shape, w, b, f.eps)

    def _invertible(self, y: Tensor) -> bool:
        """Whether f(x) can be had from y: no γ is near zero. A GPU would have to wait to know."""
        if y.device.type != "cpu":
            return False
        if type(y) is not Tensor:  # one without numbers, to estimate memory
            return True
        least = LEAST * (1 + self.shift.detach().abs())
        return bool((self.scale.detach().abs() >= least).all())

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        W = self.scale[:, None] * f.weight
        return W, torch.addcmul(self.shift, self.scale, bias(f))


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A scale and a shift after every target."""
    return Parts({site.name: ScaleShift(site, config.start) for site in _sites(anatomy, config)})


def count(anatomy: Anatomy, config: Config) -> int:
    """2·D_out for each target."""
    return sum(2 * site.d_out for site in _sites(anatomy, config))


def _sites(anatomy: Anatomy, config: Config) -> list[Site]:
    roles = config.targets
    if anatomy.staged and "patch" in roles:
        roles = (*roles, "reduction_norm")
    return anatomy.at(*roles)


def _starts_as_frozen(config: Config) -> bool:
    return config.start == "zero"


SSF = Method(
    name="ssf",
    title="SSF",
    summary="Scales and shifts the output of every operation, channel by channel; it folds away.",
    formula="y = γ ⊙ f(x) + β",
    paper="Lian et al., Scaling & Shifting Your Features, NeurIPS 2022",
    url="https://arxiv.org/abs/2210.08823",
    family=SCALING,
    sites=TARGETS,
    Config=Config,
    build=build,
    count=count,
    lr=1e-2,
    identity=_starts_as_frozen,
)
