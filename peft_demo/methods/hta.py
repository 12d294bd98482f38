"""HTA: a product of two Householder reflections around a diagonal, beside a low-rank product.

Dong et al., "Adapting Pre-trained Vision Models through Householder Transformation", NeurIPS 2024,
eq. 3, 5, 6, 7, for row vectors x:

    T = (I − v_l v_lᵀ) diag(d) (I − v_r v_rᵀ) + W_down W_up
    y = f(x) + x T                       LoRA form (`hta`): q, k, v, proj
    y = f(x);  y + y T                   adapter form (`hta_adapter`): after fc2, folding into it

v_l [D_in], v_r [D_out], d [min(D_in, D_out)], W_down [D_in R] and W_up [R D_out], R the paper's D'.
Which linears the paper's default adapts follows from its parameter column: 184,320 on ViT-B/16 are
q, k, v and o.

Ours, as the paper has no code and says neither: ‖v‖ = √2 at the start, in a random direction, which
makes the printed I − v vᵀ a reflection (v = 0 would be dead for ever, as T depends on v
quadratically); d = 0 and W_up = 0, so that it starts as the frozen model; W_down
Kaiming-uniform(√5); dropout on the input of T. The knob `normalise` divides by the norm, I − 2 v vᵀ
/ ‖v‖², a reflection throughout. The adapter form is printed without the skip, which a small d would
turn into a dead branch; we keep it.

No D×D matrix is built. With a = 1 (or 2/‖v‖²), e_l = d v_l, e_r = d v_r and k = v_lᵀ diag(d) v_r,

    x T = x d + (x v_l) (a_l a_r k v_r − a_l e_l)ᵀ − (x e_r) (a_r v_r)ᵀ + (x W_down) W_up,

the same product multiplied out: a diagonal and a low-rank product of rank R + 2.
"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import BOTTLENECK, LOW_RANK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from ..vit.seam import bias
from ..vit.sites import LINEARS
from . import Method, Parts, check_rank, targets_knob

ENDS = ("proj", "fc2")
"""The linears that end a branch."""

EPSILON = 1e-12
"""The least ‖v‖² that is divided by."""


@dataclass(frozen=True)
class Config:
    """Knobs of the LoRA form."""

    targets: tuple[str, ...] = targets_knob(
        ("q", "k", "v", "proj"), LINEARS, "linears that get an update"
    )
    rank: int = knob(
        1, "Rank", low=0, high=128, info="R, width of the low-rank product; 0 leaves it out"
    )
    normalise: bool = knob(
        False,
        "Normalise",
        info="true reflections throughout, whatever the norm of v",
        advanced=True,
    )
    dropout: float = knob(0.0, "Dropout", low=0.0, high=0.9, info="on the input", advanced=True)


@dataclass(frozen=True)
class AdapterConfig(Config):
    """Knobs of the adapter form."""

    targets: tuple[str, ...] = targets_knob(("fc2",), ENDS, "linears that end a branch")


class Householder(Delta):
    """The map T [D_in D_out] of both forms, never built.

    `v_left` is v_l [D_in], `v_right` is v_r [D_out] and `diagonal` is d. The low-rank product is
    `down` W_downᵀ [R D_in] and `up` W_upᵀ [D_out R].
    """

    matrices = ("down", "up")

    def __init__(self, d_in: int, d_out: int, config: Config):
        super().__init__()
        self.v_left = _reflector(d_in)
        self.v_right = _reflector(d_out)
        self.diagonal = nn.Parameter(torch.zeros(min(d_in, d_out)))
        self.down = nn.Parameter(torch.empty(config.rank, d_in))
        self.up = nn.Parameter(torch.zeros(d_out, config.rank))
        self.normalise = config.normalise
        self.dropout = config.dropout
        if config.rank:
            nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def plus(self, y: Tensor, x: Tensor) -> Tensor:
        """y + x T, for y [... D_out] and x [... D_in]."""
        D_out = y.shape[-1]
        x = F.dropout(x, self.dropout, self.training).to(y.dtype)
        down, up = self._products()
        d = _fit(self.diagonal, D_out).to(y.dtype)
        y = torch.addcmul(y, _fit(x, D_out), d)
        return y + F.linear(F.linear(x, down), up)

    def _products(self) -> tuple[Tensor, Tensor]:
        """T without its diagonal, [R+2 D_in] and [D_out R+2]; the formula is above."""
        d = self.diagonal
        v_l = self.v_left
        v_r = self.v_right
        e_l = _fit(d * _fit(v_l, len(d)), len(v_r))
        e_r = _fit(d * _fit(v_r, len(d)), len(v_l))
        a_l = self._factor(v_l)
        a_r = self._factor(v_r)
        k = (v_l * e_r).sum()
        down = torch.cat([v_l[None], e_r[None], self.down])
        up_left = a_l * a_r * k * v_r - a_l * e_l
        up_right = -a_r * v_r
        up = torch.cat([up_left[:, None], up_right[:, None], self.up], dim=1)
        return down, up

    def _factor(self, v: Tensor) -> Tensor | float:
        """a, with which I − a v vᵀ is a reflection."""
        return 2.0 / v.square().sum().clamp(min=EPSILON) if self.normalise else 1.0


class HTA(Householder):
    """f(x) + x T around a linear."""

    def __init__(self, site: Site, config: Config):
        check_rank(config.rank, min(site.d_in, site.d_out), site.name)
        super().__init__(site.d_in, site.d_out, config)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        return self.plus(f(x), x)

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        down, up = self._products()
        W = torch.addmm(f.weight, up, down)
        return torch.diagonal_scatter(W, W.diagonal() + self.diagonal), bias(f)


class HTAAdapter(Householder):
    """y + y T with y = f(x), so T is [D_out D_out]."""

    def __init__(self, site: Site, config: Config):
        check_rank(config.rank, site.d_out, site.name)
        super().__init__(site.d_out, site.d_out, config)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        y = f(x)
        return self.plus(y, y)

    def merged(self, f: nn.Linear) -> tuple[Tensor, Tensor]:
        down, up = self._products()
        d = self.diagonal
        W = f.weight
        b = bias(f)
        merged_W = W + d[:, None] * W + up @ (down @ W)
        merged_b = b + d * b + up @ (down @ b)
        return merged_W, merged_b


def build(anatomy: Anatomy, config: Config) -> Parts:
    """The LoRA form at every target."""
    return Parts({site.name: HTA(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: Config) -> int:
    """(1 + R)·(D_in + D_out) + min(D_in, D_out) for each target."""
    return sum(_size(site.d_in, site.d_out, config.rank) for site in anatomy.at(*config.targets))


def build_adapter(anatomy: Anatomy, config: AdapterConfig) -> Parts:
    """The adapter form after every target."""
    return Parts({site.name: HTAAdapter(site, config) for site in anatomy.at(*config.targets)})


def count_adapter(anatomy: Anatomy, config: AdapterConfig) -> int:
    """2·(1 + R)·D + D for each target."""
    return sum(_size(site.d_out, site.d_out, config.rank) for site in anatomy.at(*config.targets))


def _size(d_in: int, d_out: int, rank: int) -> int:
    return (1 + rank) * (d_in + d_out) + min(d_in, d_out)


def _reflector(size: int) -> nn.Parameter:
    """A random direction of norm √2."""
    return nn.Parameter(sqrt(2) * F.normalize(torch.randn(size), dim=0))


def _fit(t: Tensor, size: int) -> Tensor:
    """The last dimension cut, or filled up with zeros, to `size`: what a rectangular diagonal
    does."""
    gap = size - t.shape[-1]
    return F.pad(t, (0, gap)) if gap else t


HTA_LORA = Method(
    name="hta",
    title="HTA",
    summary="Adds two reflections around a diagonal, and a rank-one product, in the attention.",
    formula="y = f(x) + x T,  T = (I − v_l v_lᵀ) diag(d) (I − v_r v_rᵀ) + W_down W_up",
    paper="Dong et al., Adapting Pre-trained Vision Models through Householder Transformation,"
    " NeurIPS 2024",
    url="https://arxiv.org/abs/2410.22952",
    family=LOW_RANK,
    sites=Config().targets,
    Config=Config,
    build=build,
    count=count,
    lr=5e-3,
    search={"normalise": (False, True)},
)

HTA_ADAPTER = Method(
    name="hta_adapter",
    title="HTA adapter",
    summary="Puts two reflections around a diagonal, and a rank-one product, after each MLP.",
    formula="y = f(x);  y + y T,  T = (I − v_l v_lᵀ) diag(d) (I − v_r v_rᵀ) + W_down W_up",
    paper=HTA_LORA.paper,
    url=HTA_LORA.url,
    family=BOTTLENECK,
    sites=AdapterConfig().targets,
    Config=AdapterConfig,
    build=build_adapter,
    count=count_adapter,
    lr=1e-2,
    search=HTA_LORA.search,
)
