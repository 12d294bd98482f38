"""ARC: adapters re-composed, layer by layer, from one projection that all layers share.

Dong et al., "Efficient Adaptation of Large Vision Transformer via Adapter Re-Composing", NeurIPS 2023. Right before the
attention's `qkv` and before the MLP's `fc1`, both after the LayerNorm:

    A(h) = h + drop(h (P·c)) Pᵀ + β,     P [D R] shared by all layers, c [R] and β [D] per layer

with one P for attention and one for the MLP; in a Swin one each per stage, as its stages differ in width. P is
Xavier-uniform, β zero; c is zero for attention and Xavier-uniform on a (1, R) tensor for the MLP (the authors' code
since October 2023), so the MLP's adapter is no identity at the start.
`h` enters a linear, so the whole folds: W' = W (I + P diag(c) Pᵀ), b' = b + W β.

The authors' VTAB script freezes the adapters by accident and trains the head alone; this follows the paper and the
authors' FGVC code. Their Swin adapts the residual stream before the MLP's norm, which cannot be folded; here too it is
after the norm.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.errors import BadValue
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from . import Method, Parts, never

ATTENTION = "qkv"
MLP = "fc1"


@dataclass(frozen=True)
class Config:
    rank: int = knob(50, "Rank", low=1, high=128, info="R, columns of the shared projection")
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


class Recomposed(Delta):
    """f(x + drop(x (P·c)) Pᵀ + β), with `projection` P [D R] shared, `coefficients` c [R] and `shift` β [D]."""

    matrices = ("projection",)

    def __init__(self, projection: nn.Parameter, dropout: float, zero: bool):
        super().__init__()
        D, R = projection.shape
        self.projection = projection
        self.coefficients = nn.Parameter(
            torch.zeros(R) if zero else nn.init.xavier_uniform_(torch.empty(1, R))[0]
        )
        self.shift = nn.Parameter(torch.zeros(D))
        self.dropout = dropout

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        z = F.dropout(x @ (self.projection * self.coefficients), self.dropout, self.training)
        return f(x + z @ self.projection.T + self.shift)

    def low_rank(self, f: nn.Linear) -> LowRank:
        """f is linear, so W passes on what the adapter adds to its input."""
        down = (self.projection * self.coefficients).T
        return LowRank(down, f.weight @ self.projection, f.weight @ self.shift)


def build(anatomy: Anatomy, config: Config) -> Parts:
    return _at(anatomy, config, ATTENTION, MLP)


def count(anatomy: Anatomy, config: Config) -> int:
    return _count(anatomy, config, ATTENTION, MLP)


def build_att(anatomy: Anatomy, config: Config) -> Parts:
    return _at(anatomy, config, ATTENTION)


def count_att(anatomy: Anatomy, config: Config) -> int:
    return _count(anatomy, config, ATTENTION)


def _at(anatomy: Anatomy, config: Config, *roles: str) -> Parts:
    deltas = {}
    for sites in _sharing(anatomy, *roles):
        projection = _projection(sites[0], config.rank)
        zero = sites[0].role == ATTENTION
        deltas |= {s.name: Recomposed(projection, config.dropout, zero) for s in sites}
    return Parts(deltas)


def _sharing(anatomy: Anatomy, *roles: str) -> Iterator[list[Site]]:
    """The sites that share a projection: of one role, in one stage."""
    for role in roles:
        for _, sites in groupby(anatomy.at(role), key=lambda site: site.stage):
            yield list(sites)


def _projection(site: Site, rank: int) -> nn.Parameter:
    if rank > site.d_in:
        raise BadValue(
            f"rank {rank} is larger than the width {site.d_in}.", f"Take at most {site.d_in}."
        )
    return nn.Parameter(nn.init.xavier_uniform_(torch.empty(site.d_in, rank)))


def _count(anatomy: Anatomy, config: Config, *roles: str) -> int:
    R = config.rank
    return sum(s[0].d_in * R + len(s) * (R + s[0].d_in) for s in _sharing(anatomy, *roles))


ARC = Method(
    name="arc",
    title="ARC",
    summary="Re-composes every layer's adapter from one shared projection and a few coefficients.",
    formula="y = f(x + drop(x (P·c)) Pᵀ + β),  P shared by all layers",
    paper="Dong et al., Efficient Adaptation of Large Vision Transformer via Adapter Re-Composing, NeurIPS 2023",
    url="https://arxiv.org/abs/2310.06234",
    sites=(ATTENTION, MLP),
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
    identity=never,
)

ARC_ATT = Method(
    name="arc_att",
    title="ARC-att",
    summary="ARC on the attention alone: every layer's adapter from one shared projection and a few coefficients.",
    formula=ARC.formula,
    paper=ARC.paper,
    url=ARC.url,
    sites=(ATTENTION,),
    Config=Config,
    build=build_att,
    count=count_att,
    lr=5e-3,
)
