"""FacT: the changes of all layers are one tensor, kept in factors that all layers share.

Jie and Deng, "FacT: Factor-Tuning for Lightweight Adaptation on Vision Transformer", AAAI 2023.
Every linear of a block is cut into D×D slices: one each for q, k, v and proj, four for fc1 (by
output) and four for fc2 (by input), 12·L in all. The j-th slice changes by

    ΔW_j = s · V Σ_j U,      U [R D] and V [D R] shared by all slices,   drop(Σ_j U x) in training

    FacT-TT (tensor train)   Σ_j [R R] is free
    FacT-TK (Tucker)         Σ_j = Σ_t P[t, j] · C[:, :, t]ᵀ,   C [R R R] and P [R 12·L] shared too

V starts at zero, U and a free Σ_j as torch's linears do, C and P Xavier-uniform (the authors'
code).

The authors' FacT-TK reshapes the four slices of fc1 and fc2 with the slice running fastest, so that
each mixes columns of all four, and transposes those of fc2. This follows the paper: every slice has
its own Σ_j from input to output. q, k and v stand together on `qkv`, which gives the same numbers
and computes U x once.
"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.errors import BadValue
from ..contracts.families import LOW_RANK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from ..vit.sites import FUSED_LINEARS
from . import SCALES, Method, Parts, check_rank


@dataclass(frozen=True)
class TrainConfig:
    """Knobs of FacT-TT."""

    rank: int = knob(16, "Rank", low=1, high=128, info="R, of the shared factors")
    scale: float = knob(
        10.0, "Scale", low=0.01, high=100.0, info="s, in front of the product", advanced=True
    )
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


@dataclass(frozen=True)
class TuckerConfig(TrainConfig):
    """Knobs of FacT-TK."""

    rank: int = knob(32, "Rank", low=1, high=128, info="R, of the shared factors")


class Factors(Delta):
    """f(x) + s · drop(x Uᵀ Σᵀ) Vᵀ, slice by slice: x [B N m·D] → [B N n·D].

    U is `down` [R D] and V is `up` [D R], both shared. Σ [n·R m·R] holds the Σ_j of the linear, n
    slices by output and m by input.
    """

    def __init__(self, down: nn.Parameter, up: nn.Parameter, config: TrainConfig):
        super().__init__()
        self.down = down
        self.up = up
        self.scale = config.scale
        self.dropout = config.dropout

    def sigma(self) -> Tensor:
        """Σ [n·R m·R]."""
        raise NotImplementedError

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        D, R = self.up.shape
        z = F.linear(x.unflatten(-1, (-1, D)), self.down)
        z = F.linear(z.flatten(-2), self.sigma())
        z = F.dropout(z, self.dropout, self.training)
        change = F.linear(z.unflatten(-1, (-1, R)), self.scale * self.up)
        return f(x) + change.flatten(-2)

    def low_rank(self, f: nn.Linear) -> LowRank:
        """Σ joins the side on which it leaves the smaller rank, m·R or n·R."""
        sigma = self.sigma()
        R = self.up.shape[1]
        n, m = (side // R for side in sigma.shape)
        down = torch.block_diag(*[self.down] * m)
        up = torch.block_diag(*[self.scale * self.up] * n)
        return LowRank(down, up @ sigma) if m <= n else LowRank(sigma @ down, up)


class TensorTrain(Factors):
    """Σ is the parameter `core` [n·R m·R]."""

    matrices = ("down", "up", "core")

    def __init__(self, down: nn.Parameter, up: nn.Parameter, config: TrainConfig, n: int, m: int):
        super().__init__(down, up, config)
        self.core = nn.Parameter(torch.empty(n * config.rank, m * config.rank))
        nn.init.kaiming_uniform_(self.core, a=sqrt(5))

    def sigma(self) -> Tensor:
        return self.core


class Tucker(Factors):
    """Σ is mixed from `core` C [R_in R_out R] by n·m columns of `mix` P [R 12·L], from `first` on.

    C and P are shared.
    """

    matrices = ("down", "up", "core", "mix")

    def __init__(
        self, shared: tuple[nn.Parameter, ...], config: TuckerConfig, n: int, m: int, first: int
    ):
        down, up, core, mix = shared
        super().__init__(down, up, config)
        self.core = core
        self.mix = mix
        self.n = n
        self.m = m
        self.first = first

    def sigma(self) -> Tensor:
        R = len(self.mix)
        columns = self.mix[:, self.first : self.first + self.n * self.m]
        P = columns.unflatten(1, (self.n, self.m))
        blocks = torch.einsum("iot,tnm->nomi", self.core, P)
        return blocks.reshape(self.n * R, self.m * R)


def build_train(anatomy: Anatomy, config: TrainConfig) -> Parts:
    """Tensor train around every linear of the blocks."""
    down, up = _ends(anatomy, config.rank)
    deltas = {}
    for site in anatomy.at(*FUSED_LINEARS):
        n, m = _slices(anatomy, site)
        deltas[site.name] = TensorTrain(down, up, config, n, m)
    return Parts(deltas)


def count_train(anatomy: Anatomy, config: TrainConfig) -> int:
    """2·D·R, and R² for each slice."""
    return 2 * anatomy.width * config.rank + _total(anatomy) * config.rank**2


def build_tucker(anatomy: Anatomy, config: TuckerConfig) -> Parts:
    """Tucker around every linear of the blocks, each with its own columns of P."""
    R = config.rank
    down, up = _ends(anatomy, R)
    core = nn.Parameter(nn.init.xavier_uniform_(torch.empty(R, R, R)))
    mix = nn.Parameter(nn.init.xavier_uniform_(torch.empty(R, _total(anatomy))))
    first = 0
    deltas = {}
    for site in anatomy.at(*FUSED_LINEARS):
        n, m = _slices(anatomy, site)
        deltas[site.name] = Tucker((down, up, core, mix), config, n, m, first)
        first += n * m
    return Parts(deltas)


def count_tucker(anatomy: Anatomy, config: TuckerConfig) -> int:
    """2·D·R + R³, and R for each slice."""
    return 2 * anatomy.width * config.rank + config.rank**3 + _total(anatomy) * config.rank


def _ends(anatomy: Anatomy, rank: int) -> tuple[nn.Parameter, nn.Parameter]:
    """U and V."""
    D = anatomy.width
    check_rank(rank, D, anatomy.arch)
    down = nn.init.kaiming_uniform_(torch.empty(rank, D), a=sqrt(5))
    return nn.Parameter(down), nn.Parameter(torch.zeros(D, rank))


def _slices(anatomy: Anatomy, site: Site) -> tuple[int, int]:
    """(n, m): D×D slices of the linear, by output and by input."""
    anatomy.check_plain("FacT", "its factors are shared by all layers")
    D = anatomy.width
    if site.d_out % D or site.d_in % D:
        raise BadValue(
            f"{site.name} maps {site.d_in} to {site.d_out},"
            f" which cannot be cut into slices of {D}×{D}.",
            "FacT needs an MLP whose width is a multiple of the backbone's.",
        )
    return site.d_out // D, site.d_in // D


def _total(anatomy: Anatomy) -> int:
    """Slices of all layers: 12 per block where the MLP is four times as wide as the backbone."""
    slices = [_slices(anatomy, site) for site in anatomy.at(*FUSED_LINEARS)]
    return sum(n * m for n, m in slices)


FACT_TT = Method(
    name="fact_tt",
    title="FacT-TT",
    summary="Adds a low-rank product to every linear; its outer factors are shared by all layers.",
    formula="y_j = f(x)_j + s · V Σ_j U x,  U and V shared by all layers",
    paper="Jie and Deng, FacT: Factor-Tuning for Lightweight Adaptation on Vision Transformer,"
    " AAAI 2023",
    url="https://arxiv.org/abs/2212.03145",
    family=LOW_RANK,
    sites=FUSED_LINEARS,
    Config=TrainConfig,
    build=build_train,
    count=count_train,
    lr=1e-3,
    search=SCALES,
)

FACT_TK = Method(
    name="fact_tk",
    title="FacT-TK",
    summary="Adds a low-rank product to every linear, all of them mixed from one shared core.",
    formula="y_j = f(x)_j + s · V Σ_j U x,  Σ_j = Σ_t P[t,j] · C[:,:,t]ᵀ,  all shared",
    paper=FACT_TT.paper,
    url=FACT_TT.url,
    family=LOW_RANK,
    sites=FUSED_LINEARS,
    Config=TuckerConfig,
    build=build_tucker,
    count=count_tucker,
    lr=1e-3,
    search=SCALES,
)
