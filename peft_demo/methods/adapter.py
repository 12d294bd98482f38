"""Adapter: a small bottleneck network after the MLP branch, with a skip around it.

Houlsby et al., "Parameter-Efficient Transfer Learning for NLP", ICML 2019, in Pfeiffer's placement
(AdapterFusion, EACL 2021: one per block, after the MLP), the form vision papers compare with:

    y = f(x);   y + up(drop(GELU(down(y)))),     down [H D] Xavier-uniform, up [D H] zero

both with biases that start at zero. It starts as the identity, nearly as the papers do.

The re-implementations for vision differ: VPT starts both projections at zero, which cannot learn;
NOAH's code overwrites the zero start with noise.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import BOTTLENECK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from . import Method, Parts, never


@dataclass(frozen=True)
class Config:
    """Knobs of a bottleneck network."""

    hidden: int = knob(8, "Hidden", low=1, high=512, info="H, width of the bottleneck")
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


class Bottleneck(Delta):
    """y + up(drop(GELU(down(y)))) with y = f(x), the branch's output [B N D]."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config):
        super().__init__()
        D = site.d_out
        H = config.hidden
        self.down = nn.Parameter(torch.empty(H, D))
        self.down_bias = nn.Parameter(torch.zeros(H))
        self.up = nn.Parameter(torch.zeros(D, H))
        self.up_bias = nn.Parameter(torch.zeros(D))
        self.dropout = config.dropout
        nn.init.xavier_uniform_(self.down)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        y = f(x)
        z = F.linear(y, self.down, self.down_bias)
        z = F.dropout(F.gelu(z), self.dropout, self.training)
        return y + F.linear(z, self.up, self.up_bias)


def size(site: Site, config: Config) -> int:
    """Parameters of one bottleneck: two matrices and two biases."""
    D = site.d_out
    H = config.hidden
    return 2 * D * H + H + D


def build(anatomy: Anatomy, config: Config) -> Parts:
    """One bottleneck after each MLP branch."""
    return Parts({site.name: Bottleneck(site, config) for site in anatomy.at("mlp")})


def count(anatomy: Anatomy, config: Config) -> int:
    """2·D·H + H + D for each block."""
    return sum(size(site, config) for site in anatomy.at("mlp"))


ADAPTER = Method(
    name="adapter",
    title="Adapter",
    summary="Puts a small bottleneck network after each MLP.",
    formula="y = f(x);  y + up(GELU(down(y)))",
    paper="Houlsby et al., Parameter-Efficient Transfer Learning for NLP, ICML 2019"
    " (Pfeiffer placement)",
    url="https://arxiv.org/abs/1902.00751",
    family=BOTTLENECK,
    sites=("mlp",),
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
    merges=never,
)
