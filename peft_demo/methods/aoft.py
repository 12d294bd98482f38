"""AOFT: low-rank products whose factors are columns of an approximately orthogonal matrix made from one vector.

Yang et al., "Efficient Adaptation of Pre-trained Vision Transformer underpinned by Approximately Orthogonal Fine-Tuning
Strategy", ICCV 2025. AO(q) [D R] is the first R columns of

    Q(q) = [[ q₀, −q̃ᵀ ], [ q̃, I − q̃ q̃ᵀ / (1 + q₀) ]],     q = (q₀, q̃) [D],

orthogonal when ‖q‖ = 1, a constraint that is deliberately left off. For row vectors x:

    T = AO(q_dn) diag(λ) AO(q_up)ᵀ,     λ [R] only where the knob `scale` is on (the paper's AOFT*)
    y = f(x) + x T                       LoRA form (`aoft_lora`): q, v
    y = f(x);  y + y T                   adapter form (`aoft_adapter`): after fc2, folding into it

Starts are ours (the paper's is not known to us). With λ: λ = 0 and q a random unit vector with q₀ ≥ 0, the frozen model
with exactly orthogonal factors. Without, the product cannot be zero for any q (its rank is at least 2(R−2)−R), so its
constant start is subtracted, T − E Eᵀ, which stores nothing. E = AO(0) is the first R columns of I, the corner zero;
q_up = 0, and q_dn is a random unit vector with q₀ ≥ 0 whose entries 1 to R − 1 are zero: AO(q_dn) is orthogonal, its
columns but the first are E's, and the first grows a free product q_dn q_upᵀ as LoRA does. From q = e₀ on both sides,
where every entry is live at once, an update of norm n < 2 drags a larger one along in the first row and column: 71.2 %
on validation images of the four sets of `bench tune`, and 74.5 % from here (LoRA form, lr 0.009, one seed).
`start="literal"` leaves T as printed: from q = e₀ without λ, and with λ ~ N(0, 1) as in the released LoRA form (its
adapter draws λ from U[0, 1)).

The released code differs: it drops the frozen bias on every linear it adapts; it divides by (1 + q₀)² + 1, which is
never orthogonal; it re-wraps q₀, so that Q's corner gets no gradient; it starts at q = 0, where 7 of 768 entries learn;
its adapters stand on the residual stream behind a norm of their own and cannot be merged. Here 1 + q₀ is kept above
0.01 instead, AO(q) is made in fp32 whatever autocast says, and the product is computed as a low-rank one:
with R(q) = AO(q) − E, which survives bf16 near the start,  T − E Eᵀ = R(q_dn) AO(q_up)ᵀ + E R(q_up)ᵀ.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.errors import BadValue
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from ..vit.sites import LINEARS
from . import Method, Parts

ENDS = ("proj", "fc2")
FLOOR = 0.01
"""1 + q₀ is not let below it."""

RANK = {
    "low": 1,
    "high": 128,
    "info": "R, columns taken; without λ it does not change the number of parameters",
}
SCALE = {"info": "a factor per column (AOFT*)", "advanced": True}
START = {
    "choices": ("orthogonal", "literal"),
    "info": "literal: T as printed, not the frozen model",
    "advanced": True,
}


@dataclass(frozen=True)
class Config:
    targets: tuple = knob(("q", "v"), "Targets", choices=LINEARS, info="linears that get a product")
    rank: int = knob(8, "Rank", **RANK)
    scale: bool = knob(False, "Scale λ", **SCALE)
    start: str = knob("orthogonal", "Start", **START)


@dataclass(frozen=True)
class AdapterConfig:
    targets: tuple = knob(("fc2",), "Targets", choices=ENDS, info="linears that end a branch")
    rank: int = knob(8, "Rank", **RANK)
    scale: bool = knob(False, "Scale λ", **SCALE)
    start: str = knob("orthogonal", "Start", **START)


def approximately_orthogonal(q: Tensor, rank: int) -> Tensor:
    """AO(q) [D R], the first R columns of Q(q)."""
    return _of_zero(q, rank) + _moved(q, rank)


class Orthogonal(Delta):
    """The map T [D_in D_out] of both forms, with `q_down` [D_in], `q_up` [D_out] and, if asked for, `scale` λ [R]."""

    def __init__(self, d_in: int, d_out: int, config):
        super().__init__()
        self.rank = config.rank
        self.centred = config.start == "orthogonal" and not config.scale
        self.q_down, self.q_up = (nn.Parameter(q) for q in _starts(d_in, d_out, config))
        draw = torch.randn if config.start == "literal" else torch.zeros
        self.scale = nn.Parameter(draw(config.rank)) if config.scale else None

    def plus(self, y: Tensor, x: Tensor) -> Tensor:
        """y + x T, for y [... D_out] and x [... D_in]."""
        down, up = self.factors()
        return y + F.linear(x @ down, up)

    def factors(self) -> tuple[Tensor, Tensor]:
        """(down [D_in R'], up [D_out R']) with T = down upᵀ; R' is 2R where the start is subtracted."""
        return self._centred() if self.centred else self._printed()

    def _printed(self) -> tuple[Tensor, Tensor]:
        down, up = (approximately_orthogonal(q, self.rank) for q in (self.q_down, self.q_up))
        return down if self.scale is None else down * self.scale, up

    def _centred(self) -> tuple[Tensor, Tensor]:
        moved_down, moved_up = (_moved(q, self.rank) for q in (self.q_down, self.q_up))
        down = torch.cat([moved_down, _of_zero(self.q_down, self.rank)], dim=1)
        return down, torch.cat([_of_zero(self.q_up, self.rank) + moved_up, moved_up], dim=1)


class AOFTLoRA(Orthogonal):
    """f(x) + x T around a linear."""

    def __init__(self, site: Site, config: Config):
        _check(site, config.rank, min(site.d_in, site.d_out))
        super().__init__(site.d_in, site.d_out, config)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        return self.plus(f(x), x)

    def low_rank(self, f: nn.Linear) -> LowRank:
        down, up = self.factors()
        return LowRank(down.T, up)


class AOFTAdapter(Orthogonal):
    """y + y T with y = f(x), so T is [D_out D_out]."""

    def __init__(self, site: Site, config: AdapterConfig):
        _check(site, config.rank, site.d_out)
        super().__init__(site.d_out, site.d_out, config)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        y = f(x)
        return self.plus(y, y)

    def low_rank(self, f: nn.Linear) -> LowRank:
        """y + y T with y = x Wᵀ + b: the product x (Wᵀ down) upᵀ and the shift b T."""
        down, up = self.factors()
        return LowRank(down.T @ f.weight, up, None if f.bias is None else up @ (f.bias @ down))


def build(anatomy: Anatomy, config: Config) -> Parts:
    return Parts({site.name: AOFTLoRA(site, config) for site in anatomy.at(*config.targets)})


def build_adapter(anatomy: Anatomy, config: AdapterConfig) -> Parts:
    return Parts({site.name: AOFTAdapter(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: Config) -> int:
    return sum(s.d_in + s.d_out + config.rank * config.scale for s in anatomy.at(*config.targets))


def count_adapter(anatomy: Anatomy, config: AdapterConfig) -> int:
    return sum(2 * s.d_out + config.rank * config.scale for s in anatomy.at(*config.targets))


def _of_zero(q: Tensor, rank: int) -> Tensor:
    """E = AO(0) [D R]: the first columns of I, the corner zero."""
    E = torch.eye(len(q), rank, dtype=q.dtype, device=q.device)
    E[0, 0] = 0
    return E


def _moved(q: Tensor, rank: int) -> Tensor:
    """R(q) = AO(q) − E [D R]."""
    first = q[:1]
    rest = q[1:]
    top = torch.cat([first, -rest[: rank - 1]])
    columns = -torch.outer(rest, rest[: rank - 1]) / (1 + first).clamp(min=FLOOR)
    return torch.cat([top[None], torch.cat([rest[:, None], columns], dim=1)])


def _starts(d_in: int, d_out: int, config) -> tuple[Tensor, Tensor]:
    """q_dn and q_up of a new adapter."""
    if config.scale:
        return _random_unit(d_in), _random_unit(d_out)
    if config.start == "literal":
        return _first_unit(d_in), _first_unit(d_out)
    return _random_unit(d_in, config.rank), torch.zeros(d_out)


def _first_unit(size: int) -> Tensor:
    return torch.eye(size, 1)[:, 0].clone()


def _random_unit(size: int, rank: int = 1) -> Tensor:
    """A random direction with q₀ ≥ 0 whose entries 1 to R − 1 are zero, so that AO(q) is E but for its first column."""
    q = torch.randn(size)
    q[0] = q[0].abs()
    q[1:rank] = 0
    return F.normalize(q, dim=0)


def _check(site: Site, rank: int, width: int) -> None:
    if rank > width:
        raise BadValue(
            f"rank {rank} is larger than the width {width} of {site.name}.",
            f"Take at most {width}.",
        )


def _as_frozen(config) -> bool:
    return config.start == "orthogonal"


_PAPER = {
    "paper": "Yang et al., Efficient Adaptation of Pre-trained Vision Transformer underpinned by Approximately"
    " Orthogonal Fine-Tuning Strategy, ICCV 2025",
    "url": "https://arxiv.org/abs/2507.13260",
    "lr": 9e-3,
    "variants": ("scale=true",),
    "identity": _as_frozen,
}

AOFT_LORA = Method(
    name="aoft_lora",
    title="AOFT-LoRA",
    summary="Adds to query and value a low-rank product whose two factors each grow from one vector.",
    formula="y = f(x) + x AO(q_dn) diag(λ) AO(q_up)ᵀ",
    sites=Config().targets,
    Config=Config,
    build=build,
    count=count,
    **_PAPER,
)

AOFT_ADAPTER = Method(
    name="aoft_adapter",
    title="AOFT-Adapter",
    summary="Puts a low-rank product whose two factors each grow from one vector after each MLP; it folds away.",
    formula="y = f(x);  y + y AO(q_dn) diag(λ) AO(q_up)ᵀ",
    sites=AdapterConfig().targets,
    Config=AdapterConfig,
    build=build_adapter,
    count=count_adapter,
    **_PAPER,
)
