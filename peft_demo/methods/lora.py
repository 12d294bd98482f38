"""LoRA: a low-rank product is added to a frozen linear.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, eq. 3:

    h = W₀ x + s · B A x,     A [R D_in] Kaiming-uniform(√5),  B [D_out R] zero,  s = α/r

The knob `scale` is s itself: the papers on vision methods search s, not α, and so does `bench
tune`, which found 10. Dropout acts on the input of the product, as in the authors' loralib.
"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import LOW_RANK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from ..vit.sites import FUSED_LINEARS, QKV
from . import SCALES, Method, Parts, check_rank

TARGETS = (*QKV, *FUSED_LINEARS)


@dataclass(frozen=True)
class Config:
    """Knobs of LoRA."""

    targets: tuple[str, ...] = knob(
        ("q", "v"),
        "Targets",
        choices=TARGETS,
        info="linears that get a low-rank product",
        advanced=True,
    )
    rank: int = knob(
        8, "Rank", low=1, high=128, info="a larger one can learn more, in a larger file"
    )
    scale: float = knob(10.0, "Scale", low=0.01, high=100.0, info="s = α/r", advanced=True)
    dropout: float = knob(0.0, "Dropout", low=0.0, high=0.9, info="on the input", advanced=True)


class LoRA(Delta):
    """f(x) + s · (x Aᵀ) Bᵀ, with A = `down` [R D_in] and B = `up` [D_out R]."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config):
        check_rank(config.rank, min(site.d_in, site.d_out), site.name)
        super().__init__()
        self.down = nn.Parameter(torch.empty(config.rank, site.d_in))
        self.up = nn.Parameter(torch.zeros(site.d_out, config.rank))
        self.scale = config.scale
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        z = F.dropout(x, self.dropout, self.training)
        z = F.linear(z, self.down)
        return f(x) + self.scale * F.linear(z, self.up)

    def low_rank(self, f: nn.Linear) -> LowRank | None:
        return LowRank(self.down, self.scale * self.up)


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A low-rank product at every target."""
    return Parts({site.name: LoRA(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: Config) -> int:
    """R·(D_in + D_out) for each target."""
    return sum(config.rank * (site.d_in + site.d_out) for site in anatomy.at(*config.targets))


LORA = Method(
    name="lora",
    title="LoRA",
    summary="Adds a low-rank product to query and value; it folds away after training.",
    formula="y = f(x) + s · (x Aᵀ) Bᵀ",
    paper="Hu et al., LoRA: Low-Rank Adaptation of Large Language Models, ICLR 2022",
    url="https://arxiv.org/abs/2106.09685",
    family=LOW_RANK,
    sites=("q", "v"),
    Config=Config,
    build=build,
    count=count,
    lr=1e-3,
    search=SCALES,
)
