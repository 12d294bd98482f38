"""AdaptFormer: a bottleneck network beside the MLP branch, reading the same residual stream.

Chen et al., "AdaptFormer: Adapting Vision Transformers for Scalable Visual Recognition", NeurIPS
2022:

    x ↦ f(x) + s · up(drop(ReLU(down(x)))),     down [H D] Kaiming-uniform(√5), up [D H] zero

both with biases that start at zero. f is the whole branch, from its LayerNorm on, and x is not
normalised: the authors' `adapter_layernorm_option none`, which their released runs use. The paper
has s = 0.1. Later work searches it per task, and so does `bench tune`, which found 10.
"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import BOTTLENECK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from . import SCALES, Method, Parts, never


@dataclass(frozen=True)
class Config:
    """Knobs of AdaptFormer."""

    hidden: int = knob(64, "Hidden", low=1, high=512, info="H, width of the bottleneck")
    scale: float = knob(
        10.0, "Scale", low=0.01, high=100.0, info="s, in front of the bottleneck", advanced=True
    )
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


class Parallel(Delta):
    """f(x) + s · up(drop(ReLU(down(x)))), x the residual stream [B N D]."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config):
        super().__init__()
        D = site.d_in
        H = config.hidden
        self.down = nn.Parameter(torch.empty(H, D))
        self.down_bias = nn.Parameter(torch.zeros(H))
        self.up = nn.Parameter(torch.zeros(D, H))
        self.up_bias = nn.Parameter(torch.zeros(D))
        self.scale = config.scale
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        z = F.relu(F.linear(x, self.down, self.down_bias))
        z = F.dropout(z, self.dropout, self.training)
        return f(x) + F.linear(self.scale * z, self.up, self.scale * self.up_bias)


def build(anatomy: Anatomy, config: Config) -> Parts:
    """One bottleneck beside each MLP branch."""
    return Parts({site.name: Parallel(site, config) for site in anatomy.at("mlp")})


def count(anatomy: Anatomy, config: Config) -> int:
    """2·D·H + H + D for each block."""
    H = config.hidden
    return sum(2 * site.d_in * H + H + site.d_in for site in anatomy.at("mlp"))


ADAPTFORMER = Method(
    name="adaptformer",
    title="AdaptFormer",
    summary="Runs a small bottleneck network beside each MLP and adds its scaled output.",
    formula="y = f(x) + s · up(ReLU(down(x)))",
    paper="Chen et al., AdaptFormer: Adapting Vision Transformers for Scalable Visual Recognition,"
    " NeurIPS 2022",
    url="https://arxiv.org/abs/2205.13535",
    family=BOTTLENECK,
    sites=("mlp",),
    Config=Config,
    build=build,
    count=count,
    lr=3e-4,
    search=SCALES,
    merges=never,
)
