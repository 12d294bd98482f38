"""AOFT: low-rank products whose factors are columns of an approximately orthogonal matrix.

Yang et al., "Efficient Adaptation of Pre-trained Vision Transformer underpinned by Approximately
Orthogonal Fine-Tuning Strategy", ICCV 2025. One vector makes the matrix: AO(q) [D R] is the first R
columns of

    Q(q) = [[ q₀, −q̃ᵀ ], [ q̃, I − q̃ q̃ᵀ / (1 + q₀) ]],     q = (q₀, q̃) [D],

which is orthogonal when ‖q‖ = 1, a constraint that the paper leaves off. For row vectors x:

    T = AO(q_dn) diag(λ) AO(q_up)ᵀ,     λ [R] only where the knob `scale` is on (the paper's AOFT*)
    y = f(x) + x T                       LoRA form (`aoft_lora`): q, v
    y = f(x);  y + y T                   adapter form (`aoft_adapter`): after fc2, folding into it

The starts are ours, as we do not know the paper's.

- With λ: λ = 0, and q is a random unit vector with q₀ ≥ 0. This is the frozen model, and its
  factors are exactly orthogonal.
- Without λ, the product is not zero for any q: its rank is at least 2(R−2)−R. So its constant start
  is subtracted, T − E Eᵀ, which stores nothing. E = AO(0) is the first R columns of I with a zero
  in the corner. q_up = 0, and q_dn is a random unit vector with q₀ ≥ 0 whose entries 1 to R − 1 are
  zero. Then AO(q_dn) is orthogonal and all its columns but the first are E's; the first one grows a
  free product q_dn q_upᵀ, as LoRA does. Starting at q = e₀ on both sides is worse (71.2 against
  74.5 % on validation images of the four sets of `bench tune`, LoRA form, lr 0.009, one seed):
  small updates also cause larger ones in row and column 0.
- `start="literal"` leaves T as printed: from q = e₀ without λ, and with λ ~ N(0, 1) as in the
  released LoRA form (its adapter draws λ from U[0, 1)).

The released code differs: it drops the frozen bias on every linear it adapts; it divides by (1 +
q₀)² + 1, which is never orthogonal; it re-wraps q₀, so that Q's corner gets no gradient; it starts
at q = 0, where 7 of 768 entries learn; its adapters stand on the residual stream behind a norm of
their own and cannot be merged. Its LoRA file adapts q, v, fc1 and fc2 with λ
(`targets=q,v,fc1,fc2`, `scale=true`), its adapter file stands after attention and MLP
(`targets=proj,fc2`); the paper's column of parameters counts q and v alone.

Here 1 + q₀ is kept above 0.01, AO(q) is made in fp32 whatever autocast says, and T is computed as a
low-rank product. With R(q) = AO(q) − E, which survives bf16 near the start,

    T − E Eᵀ = R(q_dn) AO(q_up)ᵀ + E R(q_up)ᵀ.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import BOTTLENECK, LOW_RANK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from ..vit.sites import LINEARS
from . import Method, Parts, check_rank, targets_knob

ENDS = ("proj", "fc2")
"""The linears that end a branch."""

FLOOR = 0.01
"""The least that 1 + q₀ is taken for."""


@dataclass(frozen=True)
class Config:
    """Knobs of the LoRA form."""

    targets: tuple[str, ...] = targets_knob(("q", "v"), LINEARS, "linears that get a product")
    rank: int = knob(
        8,
        "Rank",
        low=1,
        high=128,
        info="R, columns taken; without λ it does not change the number of parameters",
    )
    scale: bool = knob(False, "Scale λ", info="a factor per column (AOFT*)", advanced=True)
    start: str = knob(
        "orthogonal",
        "Start",
        choices=("orthogonal", "literal"),
        info="literal: T as printed, not the frozen model",
        advanced=True,
    )


@dataclass(frozen=True)
class AdapterConfig(Config):
    """Knobs of the adapter form."""

    targets: tuple[str, ...] = targets_knob(("fc2",), ENDS, "linears that end a branch")


def approximately_orthogonal(q: Tensor, rank: int) -> Tensor:
    """AO(q) [D R], the first R columns of Q(q)."""
    return _constant(q, rank) + _moved(q, rank)


class Orthogonal(Delta):
    """The map T [D_in D_out] of both forms.

    Its parameters are `q_down` [D_in], `q_up` [D_out] and, if the knob is on, `scale` λ [R].
    """

    def __init__(self, d_in: int, d_out: int, config: Config):
        super().__init__()
        self.rank = config.rank
        self.centred = config.start == "orthogonal" and not config.scale
        q_down, q_up = _starts(d_in, d_out, config)
        self.q_down = nn.Parameter(q_down)
        self.q_up = nn.Parameter(q_up)
        draw = torch.randn if config.start == "literal" else torch.zeros
        self.scale = nn.Parameter(draw(config.rank)) if config.scale else None

    def plus(self, y: Tensor, x: Tensor) -> Tensor:
        """y + x T, for y [... D_out] and x [... D_in]."""
        down, up = self.factors()
        return y + F.linear(x @ down, up)

    def factors(self) -> tuple[Tensor, Tensor]:
        """(down [D_in R'], up [D_out R']) with T = down upᵀ; R' is 2R with a subtracted start."""
        return self._centred() if self.centred else self._printed()

    def directions(self) -> dict[str, Tensor]:
        """The factors that the vectors make; how orthogonal they still are is AOFT's question."""
        down = approximately_orthogonal(self.q_down, self.rank)
        up = approximately_orthogonal(self.q_up, self.rank)
        return {"AO(q_down)": down, "AO(q_up)": up}

    def _printed(self) -> tuple[Tensor, Tensor]:
        down = approximately_orthogonal(self.q_down, self.rank)
        up = approximately_orthogonal(self.q_up, self.rank)
        return down if self.scale is None else down * self.scale, up

    def _centred(self) -> tuple[Tensor, Tensor]:
        moved_down = _moved(self.q_down, self.rank)
        moved_up = _moved(self.q_up, self.rank)
        whole_up = _constant(self.q_up, self.rank) + moved_up
        down = torch.cat([moved_down, _constant(self.q_down, self.rank)], dim=1)
        up = torch.cat([whole_up, moved_up], dim=1)
        return down, up


class AOFTLoRA(Orthogonal):
    """f(x) + x T around a linear."""

    def __init__(self, site: Site, config: Config):
        check_rank(config.rank, min(site.d_in, site.d_out), site.name)
        super().__init__(site.d_in, site.d_out, config)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        return self.plus(f(x), x)

    def low_rank(self, f: nn.Linear) -> LowRank:
        down, up = self.factors()
        return LowRank(down.T, up)


class AOFTAdapter(Orthogonal):
    """y + y T with y = f(x), so T is [D_out D_out]."""

    def __init__(self, site: Site, config: Config):
        check_rank(config.rank, site.d_out, site.name)
        super().__init__(site.d_out, site.d_out, config)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        y = f(x)
        return self.plus(y, y)

    def low_rank(self, f: nn.Linear) -> LowRank:
        """y + y T with y = x Wᵀ + b: the product x (Wᵀ down) upᵀ and the shift b T."""
        down, up = self.factors()
        shift = None if f.bias is None else up @ (f.bias @ down)
        return LowRank(down.T @ f.weight, up, shift)


def build(anatomy: Anatomy, config: Config) -> Parts:
    """The LoRA form at every target."""
    return Parts({site.name: AOFTLoRA(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: Config) -> int:
    """D_in + D_out for each target, and R with λ."""
    factors = config.rank if config.scale else 0
    return sum(s.d_in + s.d_out + factors for s in anatomy.at(*config.targets))


def build_adapter(anatomy: Anatomy, config: AdapterConfig) -> Parts:
    """The adapter form after every target."""
    return Parts({site.name: AOFTAdapter(site, config) for site in anatomy.at(*config.targets)})


def count_adapter(anatomy: Anatomy, config: AdapterConfig) -> int:
    """2·D for each target, and R with λ."""
    factors = config.rank if config.scale else 0
    return sum(2 * s.d_out + factors for s in anatomy.at(*config.targets))


def _constant(q: Tensor, rank: int) -> Tensor:
    """E = AO(0) [D R]: the first columns of I, with a zero in the corner."""
    E = torch.eye(len(q), rank, dtype=q.dtype, device=q.device)
    E[0, 0] = 0
    return E


def _moved(q: Tensor, rank: int) -> Tensor:
    """R(q) = AO(q) − E [D R]."""
    first = q[:1]
    rest = q[1:]
    top = torch.cat([first, -rest[: rank - 1]])
    columns = -torch.outer(rest, rest[: rank - 1]) / (1 + first).clamp(min=FLOOR)
    below = torch.cat([rest[:, None], columns], dim=1)
    return torch.cat([top[None], below])


def _starts(d_in: int, d_out: int, config: Config) -> tuple[Tensor, Tensor]:
    """q_dn and q_up of a new adapter."""
    if config.scale:
        return _random_unit(d_in), _random_unit(d_out)
    if config.start == "literal":
        return _first_unit(d_in), _first_unit(d_out)
    return _random_unit(d_in, config.rank), torch.zeros(d_out)


def _first_unit(size: int) -> Tensor:
    return torch.eye(size, 1)[:, 0].clone()


def _random_unit(size: int, rank: int = 1) -> Tensor:
    """A random unit vector with q₀ ≥ 0 whose entries 1 to R − 1 are zero.

    So AO(q) is E but for its first column.
    """
    q = torch.randn(size)
    q[0] = q[0].abs()
    q[1:rank] = 0
    return F.normalize(q, dim=0)


def _starts_as_frozen(config: Config) -> bool:
    return config.start == "orthogonal"


AOFT_LORA = Method(
    name="aoft_lora",
    title="AOFT-LoRA",
    summary="Adds to query and value a low-rank product whose factors each grow from one vector.",
    formula="y = f(x) + x AO(q_dn) diag(λ) AO(q_up)ᵀ",
    paper="Yang et al., Efficient Adaptation of Pre-trained Vision Transformer underpinned by"
    " Approximately Orthogonal Fine-Tuning Strategy, ICCV 2025",
    url="https://arxiv.org/abs/2507.13260",
    family=LOW_RANK,
    sites=Config().targets,
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
    identity=_starts_as_frozen,
    variants=("scale=true",),
)

AOFT_ADAPTER = Method(
    name="aoft_adapter",
    title="AOFT-Adapter",
    summary="Puts after each MLP a low-rank product whose factors each grow from one vector.",
    formula="y = f(x);  y + y AO(q_dn) diag(λ) AO(q_up)ᵀ",
    paper=AOFT_LORA.paper,
    url=AOFT_LORA.url,
    family=BOTTLENECK,
    sites=AdapterConfig().targets,
    Config=AdapterConfig,
    build=build_adapter,
    count=count_adapter,
    lr=9e-3,
    identity=_starts_as_frozen,
    variants=("scale=true",),
)
