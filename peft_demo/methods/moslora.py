"""MoSLoRA: LoRA with a small trained matrix that mixes its subspaces.

Wu et al., "Mixture-of-Subspaces in Low-Rank Adaptation", EMNLP 2024, in LoRA's letters:

    h = W₀ x + s · B W A x,     A [R D_in],  W [R R],  B [D_out R]

LoRA adds B A, a sum of R products of one column of B with one row of A. The mixer W adds all R²
products of any column with any row, each with its own weight; LoRA is W = I. A and W are
Kaiming-uniform(√5) and B is zero, as in the authors' code, so it starts as the frozen model.

The scale s = α/r and its default are LoRA's and have not been searched here. Dropout acts on the
input of the product, as in LoRA.
"""

from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import LOW_RANK
from ..vit import Anatomy, LowRank, Site
from . import Method, Parts, lora


class MoSLoRA(lora.LoRA):
    """f(x) + s · (x Aᵀ) Wᵀ Bᵀ, with A = `down` [R D_in], W = `mixer` [R R], B = `up` [D_out R]."""

    matrices = ("down", "mixer", "up")

    def __init__(self, site: Site, config: lora.Product):
        super().__init__(site, config)
        self.mixer = nn.Parameter(torch.empty(config.rank, config.rank))
        nn.init.kaiming_uniform_(self.mixer, a=sqrt(5))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        z = F.dropout(x, self.dropout, self.training)
        z = F.linear(z, self.down)
        z = F.linear(z, self.mixer)
        return f(x) + self.scale * F.linear(z, self.up)

    def low_rank(self, f: nn.Linear) -> LowRank:
        return LowRank(self.mixer @ self.down, self.scale * self.up)


def build(anatomy: Anatomy, config: lora.Product) -> Parts:
    """A mixed low-rank product at every target."""
    return Parts({site.name: MoSLoRA(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: lora.Product) -> int:
    """R·(D_in + D_out + R) for each target."""
    sites = anatomy.at(*config.targets)
    return lora.count_products(sites, config) + config.rank**2 * len(sites)


MOSLORA = Method(
    name="moslora",
    title="MoSLoRA",
    summary="Mixes the subspaces of LoRA's product by a small trained matrix; it folds away.",
    formula="y = f(x) + s · (x Aᵀ) Wᵀ Bᵀ,  W [R R]",
    paper="Wu et al., Mixture-of-Subspaces in Low-Rank Adaptation, EMNLP 2024",
    url="https://arxiv.org/abs/2406.11909",
    family=LOW_RANK,
    sites=lora.LORA.sites,
    Config=lora.Product,
    build=build,
    count=count,
    lr=1e-3,
)
