"""RLRR: every frozen matrix is rescaled, entry by entry, by a residual of rank one.

Dong et al., "Low-Rank Rescaled Vision Transformer Fine-Tuning: A Residual Design Approach", CVPR 2024. On q, k, v,
proj, fc1 and fc2, in torch's layout W [D_out D_in]:

    y = W' x + b + f,     W' = W + s_left ⊙ W ⊙ s_rightᵀ = W ⊙ (1 + s_out s_in)

with s_in [1 D_in] (the paper's s_left), s_out [D_out 1] (its s_right) and f [D_out] = `shift`; SSF's scale and shift
after both norms, the final norm and on the patch tokens. Nothing is shared, no activation, no dropout.

Start, as in the authors' code: s_in and s_out Kaiming-uniform in these shapes (bounds √(6/D_in) and √6, so the product
jitters each weight by about 7 % and the model does *not* start as the frozen one), f zero, SSF from N(1, 0.02²) and
N(0, 0.02²). `start="zero"` (ours) has s_out = 0, SSF at 1 and 0. Both scales zero would be a dead point: the product's
gradient is zero there for ever.

On a Swin, as in the authors' code: qkv as one matrix, the reductions between the stages in the place of the patches,
and no SSF on these nor on the reductions' norms.

The frozen map is read and never called, and W' is one matrix the size of W per step: its gradient takes one product,
where staying on the activations would take one more in the forward and one more in the backward pass (35 % slower).
The authors' branch dropout, named drop path there, belongs to the backbone's recipe and is left out.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from ..vit.sites import LINEARS, MAPS, QKV
from . import Method, Parts
from .ssf import ScaleShift

FUSED = ("qkv", "reduction")
"""The linears that a Swin has instead of q, k and v, and of the patches."""
TARGETS = ("patch", *MAPS, "norm")


@dataclass(frozen=True)
class Config:
    targets: tuple = knob(
        TARGETS, "Targets", choices=TARGETS, info="linears to rescale; norms and patches take SSF"
    )
    start: str = knob(
        "random",
        "Start",
        choices=("random", "zero"),
        info="zero: as the frozen model",
        advanced=True,
    )


class Rescaled(Delta):
    """F.linear(x, W ⊙ (1 + s_out s_in), b + shift), with `s_out` [D_out 1], `s_in` [1 D_in] and `shift` [D_out]."""

    def __init__(self, site: Site, start: str):
        super().__init__()
        self.s_in = nn.Parameter(torch.empty(1, site.d_in))
        self.s_out = nn.Parameter(torch.zeros(site.d_out, 1))
        self.shift = nn.Parameter(torch.zeros(site.d_out))
        nn.init.kaiming_uniform_(self.s_in)
        if start == "random":
            nn.init.kaiming_uniform_(self.s_out)

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        return F.linear(x, *self.merged(f))

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        weight = torch.addcmul(f.weight, f.weight, self.s_out * self.s_in)
        return weight, self.shift if f.bias is None else f.bias + self.shift


def build(anatomy: Anatomy, config: Config) -> Parts:
    return Parts({site.name: _kind(site)(site, config.start) for site in _sites(anatomy, config)})


def count(anatomy: Anatomy, config: Config) -> int:
    return sum(
        (s.d_in if _kind(s) is Rescaled else 0) + 2 * s.d_out for s in _sites(anatomy, config)
    )


def _sites(anatomy: Anatomy, config: Config) -> list[Site]:
    roles = config.targets
    if anatomy.staged:
        fused = {"patch": "reduction"} | (
            dict.fromkeys(QKV, "qkv") if set(QKV) <= set(roles) else {}
        )
        roles = tuple(dict.fromkeys(fused.get(role, role) for role in roles))
    return anatomy.at(*roles)


def _kind(site: Site) -> type[Delta]:
    return Rescaled if site.role in (*LINEARS, *FUSED) else ScaleShift


RLRR = Method(
    name="rlrr",
    title="RLRR",
    summary="Rescales every frozen weight by a rank-one residual and shifts the biases; it folds away after training.",
    formula="y = (W ⊙ (1 + s_out s_inᵀ)) x + b + f",
    paper="Dong et al., Low-Rank Rescaled Vision Transformer Fine-Tuning: A Residual Design Approach, CVPR 2024",
    url="https://arxiv.org/abs/2403.19067",
    sites=TARGETS,
    Config=Config,
    build=build,
    count=count,
    lr=9e-3,
    identity=lambda config: config.start == "zero",
)
