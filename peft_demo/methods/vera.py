"""VeRA: one frozen random pair of matrices serves every linear; two trained vectors scale it.

Kopiczko et al., "VeRA: Vector-based Random Matrix Adaptation", ICLR 2024, eq. 2:

    h = W₀ x + Λ_b B Λ_d A x,     A [R D_in] and B [D_out R] frozen,  d [R] and b [D_out] trained

A and B are Kaiming-uniform, within √(6/D_in) and √(6/R). d starts at 0.1 and b at zero, so it
starts as the frozen model. The defaults are those of the paper's ViT: q and v, R = 256.

One pair is shared by all sites. Where they differ in width, it has that of the widest, and a site
takes the first D_in columns of A and the first D_out rows of B, as in huggingface/peft. A seed
gives the pair, so a file keeps d and b alone: about 100 kB for a ViT-B.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import LOW_RANK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from ..vit.seam import seeded_uniform
from . import Method, Parts, lora, targets_knob


@dataclass(frozen=True)
class Config:
    """Knobs of VeRA."""

    targets: tuple[str, ...] = targets_knob(
        ("q", "v"), lora.LINEAR_TARGETS, "linears that get the product"
    )
    rank: int = knob(
        256, "Rank", low=1, high=1024, info="of the frozen pair; one number a linear for each"
    )
    start: float = knob(
        0.1, "Start", low=0.001, high=1.0, info="what d starts at, the scale of the product"
    )
    projection_seed: int = knob(
        0, "Seed of the pair", low=0, high=1000, info="gives A and B", advanced=True
    )


class Pair(nn.Module):
    """The frozen A [R D_in] and B [D_out R], as wide as the widest of the sites."""

    A: Tensor
    B: Tensor

    def __init__(self, sites: Sequence[Site], config: Config):
        super().__init__()
        R = config.rank
        D_in = max(site.d_in for site in sites)
        D_out = max(site.d_out for site in sites)
        seed = 2 * config.projection_seed
        A = sqrt(6 / D_in) * seeded_uniform(seed, R, D_in)
        B = sqrt(6 / R) * seeded_uniform(seed + 1, D_out, R)
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("B", B, persistent=False)


class VeRA(Delta):
    """f(x) + b ⊙ (B (d ⊙ (A x))), with the parameters `d` [R] and `b` [D_out].

    All deltas of an adapter hold the same `pair`, so it stands in memory once on any device.
    """

    folds = False  # A and B are wide, and have no gradients that folding would save

    def __init__(self, site: Site, config: Config, pair: Pair):
        super().__init__()
        self.pair = pair
        self.d_in = site.d_in
        self.d_out = site.d_out
        self.d = nn.Parameter(torch.full((config.rank,), config.start))
        self.b = nn.Parameter(torch.zeros(site.d_out))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        z = self.d * F.linear(x, self.A)
        return f(x) + self.b * F.linear(z, self.B)

    def low_rank(self, f: nn.Linear) -> LowRank:
        return LowRank(self.d[:, None] * self.A, self.b[:, None] * self.B)

    @property
    def A(self) -> Tensor:
        """The site's part of A, [R D_in]."""
        return self.pair.A[:, : self.d_in]

    @property
    def B(self) -> Tensor:
        """The site's part of B, [D_out R]."""
        return self.pair.B[: self.d_out]


def build(anatomy: Anatomy, config: Config) -> Parts:
    """The product at every target, all of one pair."""
    sites = anatomy.at(*config.targets)
    pair = Pair(sites, config)
    return Parts({site.name: VeRA(site, config, pair) for site in sites})


def count(anatomy: Anatomy, config: Config) -> int:
    """R + D_out for each target."""
    return sum(config.rank + site.d_out for site in anatomy.at(*config.targets))


VERA = Method(
    name="vera",
    title="VeRA",
    summary="Trains two vectors around a frozen random product that all layers share.",
    formula="y = f(x) + b ⊙ (B (d ⊙ (A x))),  A and B random and frozen",
    paper="Kopiczko et al., VeRA: Vector-based Random Matrix Adaptation, ICLR 2024",
    url="https://arxiv.org/abs/2310.11454",
    family=LOW_RANK,
    sites=lora.LORA.sites,
    Config=Config,
    build=build,
    count=count,
    lr=3e-2,
)
