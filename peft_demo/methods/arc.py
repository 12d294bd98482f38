"""ARC: adapters re-composed, layer by layer, from one projection that all layers share.

Dong et al., "Efficient Adaptation of Large Vision Transformer via Adapter Re-Composing", NeurIPS
2023. Right before the attention's `qkv` and before the MLP's `fc1`, both after the LayerNorm:

    A(h) = h + drop(h (P·c)) Pᵀ + β,     P [D R] shared by all layers, c [R] and β [D] per layer

There is one P for attention and one for the MLP; in a Swin one each per stage, as its stages differ
in width. P is Xavier-uniform and β zero. c is zero for attention and Xavier-uniform on a (1, R)
tensor for the MLP (the authors' code since October 2023), so the MLP's adapter does not start as
the identity. `arc_att` leaves the MLP out.

h enters a linear, so the whole folds: W' = W (I + P diag(c) Pᵀ), b' = b + W β.

The authors' VTAB script freezes the adapters by accident and trains the head alone; this follows
the paper and the authors' FGVC code. Their Swin adapts the residual stream before the MLP's norm,
which cannot be folded; here too it is after the norm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import BOTTLENECK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from . import Method, Parts, check_rank, never

ATTENTION = "qkv"
MLP = "fc1"


@dataclass(frozen=True)
class Config:
    """Knobs of ARC."""

    rank: int = knob(50, "Rank", low=1, high=128, info="R, columns of the shared projection")
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


class Recomposed(Delta):
    """f(x + drop(x (P·c)) Pᵀ + β), around a linear f.

    `projection` is P [D R], shared; `coefficients` is c [R], and `shift` is β [D].
    """

    matrices = ("projection",)

    def __init__(self, projection: nn.Parameter, dropout: float, zero: bool):
        super().__init__()
        D, R = projection.shape
        coefficients = torch.zeros(R) if zero else nn.init.xavier_uniform_(torch.empty(1, R))[0]
        self.projection = projection
        self.coefficients = nn.Parameter(coefficients)
        self.shift = nn.Parameter(torch.zeros(D))
        self.dropout = dropout

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        z = x @ (self.projection * self.coefficients)
        z = F.dropout(z, self.dropout, self.training)
        return f(x + z @ self.projection.T + self.shift)

    def low_rank(self, f: nn.Linear) -> LowRank:
        """f is linear, so W passes on what the adapter adds to its input."""
        down = (self.projection * self.coefficients).T
        return LowRank(down, f.weight @ self.projection, f.weight @ self.shift)


def build(anatomy: Anatomy, config: Config, roles: tuple[str, ...]) -> Parts:
    """An adapter before every linear of these roles."""
    deltas = {}
    for sites in _sharing(anatomy, roles):
        zero = sites[0].role == ATTENTION
        projection = _projection(sites[0], config.rank)
        for site in sites:
            deltas[site.name] = Recomposed(projection, config.dropout, zero)
    return Parts(deltas)


def count(anatomy: Anatomy, config: Config, roles: tuple[str, ...]) -> int:
    """D·R for each projection, R + D for each site."""
    R = config.rank
    total = 0
    for sites in _sharing(anatomy, roles):
        D = sites[0].d_in
        total += D * R + len(sites) * (R + D)
    return total


def _sharing(anatomy: Anatomy, roles: tuple[str, ...]) -> Iterator[list[Site]]:
    """The sites that share a projection: of one role, in one stage."""
    for role in roles:
        for _, sites in groupby(anatomy.at(role), key=lambda site: site.stage):
            yield list(sites)


def _projection(site: Site, rank: int) -> nn.Parameter:
    check_rank(rank, site.d_in, site.name)
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(site.d_in, rank)))


ARC = Method(
    name="arc",
    title="ARC",
    summary="Re-composes every layer's adapter from one shared projection and a few coefficients.",
    formula="y = f(x + drop(x (P·c)) Pᵀ + β),  P shared by all layers",
    paper="Dong et al., Efficient Adaptation of Large Vision Transformer via Adapter Re-Composing,"
    " NeurIPS 2023",
    url="https://arxiv.org/abs/2310.06234",
    family=BOTTLENECK,
    sites=(ATTENTION, MLP),
    Config=Config,
    build=partial(build, roles=(ATTENTION, MLP)),
    count=partial(count, roles=(ATTENTION, MLP)),
    lr=1e-2,
    identity=never,
)

ARC_ATT = Method(
    name="arc_att",
    title="ARC-att",
    summary="ARC before the attention alone, with one shared projection and a few coefficients.",
    formula=ARC.formula,
    paper=ARC.paper,
    url=ARC.url,
    family=BOTTLENECK,
    sites=(ATTENTION,),
    Config=Config,
    build=partial(build, roles=(ATTENTION,)),
    count=partial(count, roles=(ATTENTION,)),
    lr=5e-3,
)
