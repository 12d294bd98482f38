"""A method whose file leaves out constants that a seed gives, for the laws alone; it is not
shipped.

Kopiczko et al., "VeRA: Vector-based Random Matrix Adaptation", ICLR 2024:

    y = f(x) + b ⊙ (B (d ⊙ (A x)))

A [R D_in] and B [D_out R] are random and frozen. Only d [R], which starts at 0.1, and b [D_out],
which starts at zero, are trained and kept.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from peft_demo.contracts.knobs import knob
from peft_demo.methods import Method, Parts
from peft_demo.vit import Anatomy, Delta, LowRank, Site
from peft_demo.vit.seam import seeded_uniform


@dataclass(frozen=True)
class Config:
    rank: int = knob(16, "Rank", low=1, high=64)
    projection_seed: int = knob(7, "Seed", low=0, high=1000, info="of the frozen matrices")


class VeRA(Delta):
    """f(x) + b ⊙ (B (d ⊙ (A x))), with the constants A and B, d = `inner` [R] and b = `outer`
    [D_out]."""

    A: Tensor
    B: Tensor

    def __init__(self, site: Site, config: Config):
        super().__init__()
        seed = config.projection_seed
        A = seeded_uniform(seed, config.rank, site.d_in)
        B = seeded_uniform(seed + 1, site.d_out, config.rank)
        self.register_buffer("A", A, persistent=False)
        self.register_buffer("B", B, persistent=False)
        self.inner = nn.Parameter(torch.full((config.rank,), 0.1))
        self.outer = nn.Parameter(torch.zeros(site.d_out))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        z = self.inner * (x @ self.A.T)
        return f(x) + self.outer * (z @ self.B.T)

    def low_rank(self, f: nn.Linear) -> LowRank:
        return LowRank(self.inner[:, None] * self.A, self.outer[:, None] * self.B)


def build(anatomy: Anatomy, config: Config) -> Parts:
    return Parts({site.name: VeRA(site, config) for site in anatomy.at("q", "v")})


def count(anatomy: Anatomy, config: Config) -> int:
    return sum(config.rank + site.d_out for site in anatomy.at("q", "v"))


VERA = Method(
    name="vera",
    title="VeRA",
    summary="Scales the rows of two frozen random matrices.",
    formula="y = f(x) + b ⊙ (B (d ⊙ (A x)))",
    paper="Kopiczko et al., VeRA: Vector-based Random Matrix Adaptation, ICLR 2024",
    url="https://arxiv.org/abs/2310.11454",
    sites=("q", "v"),
    Config=Config,
    build=build,
    count=count,
    lr=1e-2,
)
