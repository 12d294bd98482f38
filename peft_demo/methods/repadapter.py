"""RepAdapter: a linear bottleneck before attention and before the MLP, which folds into what
follows.

Luo et al., "Towards Efficient Visual Adaption via Structural Re-parameterization", 2023. Right
before the attention's `qkv` and before the MLP's `fc1`, both after the LayerNorm:

    x ↦ x + s · (B drop(A x + a) + β),      A [H D] Xavier-uniform, B [D H] and both biases zero

B is sparse, "group-wise": of G groups, the g-th G-th of the outputs reads the g-th G-th of the
bottleneck only. So B holds D·H/G numbers, kept as [D H/G] like those of a grouped convolution.

No activation stands between and a linear W, b follows, so it folds: with M = I + s B A, W' = W M
and b' = b + s W (B a + β). The authors' test script merges with s = 1 whatever s was trained with;
here s is part of what is merged.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.errors import BadValue
from ..contracts.families import BOTTLENECK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from . import SCALES, Method, Parts

TARGETS = ("qkv", "fc1")


@dataclass(frozen=True)
class Config:
    """Knobs of RepAdapter."""

    hidden: int = knob(
        8, "Hidden", low=2, high=128, info="H, width of the bottleneck; a multiple of the groups"
    )
    groups: int = knob(
        2, "Groups", choices=(1, 2), info="G, blocks of the sparse up-projection", advanced=True
    )
    scale: float = knob(
        10.0, "Scale", low=0.01, high=100.0, info="s, in front of the bottleneck", advanced=True
    )
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


class Reparameterised(Delta):
    """f(x + s · (B drop(A x + a) + β)), with A = `down` [H D] and B = `up` [D H/G]."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config):
        super().__init__()
        D = site.d_in
        H = config.hidden
        G = config.groups
        _check_groups("hidden", H, G)
        _check_groups(f"the width of {site.name},", D, G)
        self.down = nn.Parameter(torch.empty(H, D))
        self.down_bias = nn.Parameter(torch.zeros(H))
        self.up = nn.Parameter(torch.zeros(D, H // G))
        self.up_bias = nn.Parameter(torch.zeros(D))
        self.groups = G
        self.scale = config.scale
        self.dropout = config.dropout
        nn.init.xavier_uniform_(self.down)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        z = F.linear(x, self.down, self.down_bias)
        z = F.dropout(z, self.dropout, self.training)
        return f(x + F.linear(z, self._scaled_up(), self.scale * self.up_bias))

    def low_rank(self, f: nn.Linear) -> LowRank:
        """f is linear, so W passes on what the adapter adds to its input."""
        up = f.weight @ self._scaled_up()
        shift = up @ self.down_bias + f.weight @ (self.scale * self.up_bias)
        return LowRank(self.down, up, shift)

    def _scaled_up(self) -> Tensor:
        """s · B [D H], with its zeros."""
        return self.scale * torch.block_diag(*self.up.chunk(self.groups))


def _check_groups(what: str, size: int, groups: int) -> None:
    if size % groups:
        raise BadValue(
            f"{what} {size} cannot be cut into {groups} groups.", f"Take a multiple of {groups}."
        )


def build(anatomy: Anatomy, config: Config) -> Parts:
    """One bottleneck before the attention and one before the MLP of each block."""
    return Parts({site.name: Reparameterised(site, config) for site in anatomy.at(*TARGETS)})


def count(anatomy: Anatomy, config: Config) -> int:
    """D·H + H + D·H/G + D for each bottleneck."""
    H = config.hidden
    G = config.groups
    return sum(s.d_in * H + H + s.d_in * H // G + s.d_in for s in anatomy.at(*TARGETS))


REPADAPTER = Method(
    name="repadapter",
    title="RepAdapter",
    summary="Puts a linear bottleneck before attention and before the MLP; it folds away.",
    formula="y = f(x + s · (B drop(A x + a) + β)),  B block-diagonal",
    paper="Luo et al., Towards Efficient Visual Adaption via Structural Re-parameterization, 2023",
    url="https://arxiv.org/abs/2302.08106",
    family=BOTTLENECK,
    sites=TARGETS,
    Config=Config,
    build=build,
    count=count,
    lr=3e-4,
    search=SCALES,
)
