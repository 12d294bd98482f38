"""LoRA: a low-rank product is added to a frozen linear.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, eq. 3:

    h = W₀ x + s · B A x,     A [R D_in] Kaiming-uniform(√5),  B [D_out R] zero,  s = α/r

The knob `scale` is s itself: the papers on vision methods search s, not α, and so does `bench
tune`, which found 10. Dropout acts on the input of the product, as in the authors' loralib.

Two things come from huggingface/peft. With `bias`, B has a bias that starts at zero (its
`lora_bias`): h = W₀ x + s · (B A x + c). The target `patch` is the patch embedding, whose
convolution is one linear map for each patch.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import sqrt

import torch
from timm.layers.patch_embed import PatchEmbed
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.errors import BadValue
from ..contracts.families import LOW_RANK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from ..vit.sites import FUSED_LINEARS, QKV
from . import SCALES, Method, Parts, check_rank, targets_knob

LINEAR_TARGETS = (*QKV, *FUSED_LINEARS)
TARGETS = (*LINEAR_TARGETS, "patch")


@dataclass(frozen=True)
class Product:
    """Knobs of a low-rank product."""

    targets: tuple[str, ...] = targets_knob(
        ("q", "v"), LINEAR_TARGETS, "linears that get a low-rank product"
    )
    rank: int = knob(
        8, "Rank", low=1, high=128, info="a larger one can learn more, in a larger file"
    )
    scale: float = knob(10.0, "Scale", low=0.01, high=100.0, info="s = α/r", advanced=True)
    dropout: float = knob(0.0, "Dropout", low=0.0, high=0.9, info="on the input", advanced=True)


@dataclass(frozen=True)
class Config(Product):
    """Knobs of LoRA, which may also stand around the patch embedding."""

    targets: tuple[str, ...] = targets_knob(("q", "v"), TARGETS, "maps that get a low-rank product")
    bias: bool = knob(False, "Bias", info="trains a bias beside each product", advanced=True)


class LoRA(Delta):
    """f(x) + s · (x Aᵀ Bᵀ + c), with A = `down` [R D_in], B = `up` [D_out R], c = `bias` [D_out].

    `bias` is None unless it is asked for.
    """

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Product, bias: bool = False):
        check_rank(config.rank, min(site.d_in, site.d_out), site.name)
        super().__init__()
        self.down = nn.Parameter(torch.empty(config.rank, site.d_in))
        self.up = nn.Parameter(torch.zeros(site.d_out, config.rank))
        self.bias = nn.Parameter(torch.zeros(site.d_out)) if bias else None
        self.scale = config.scale
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))

    def forward(self, f: nn.Linear, x: Tensor) -> Tensor:
        return f(x) + self.product(x)

    def product(self, x: Tensor) -> Tensor:
        """s · (x Aᵀ Bᵀ + c): x [B ... D_in] → [B ... D_out]."""
        z = F.dropout(x, self.dropout, self.training)
        z = F.linear(z, self.down)
        return self.scale * F.linear(z, self.up, self.bias)

    def low_rank(self, f: nn.Linear) -> LowRank | None:
        shift = None if self.bias is None else self.scale * self.bias
        return LowRank(self.down, self.scale * self.up, shift)


class PatchLoRA(LoRA):
    """The same around the patch embedding: images [B 3 S S] → tokens [B N D], or a grid of them.

    The rows of `down` [R 3·p·p] are patches. `merge` hands it the convolution as a linear map of
    one patch.
    """

    def forward(self, f: PatchEmbed | nn.Linear, x: Tensor) -> Tensor:
        if isinstance(f, nn.Linear):
            return super().forward(f, x)
        y = f(x)
        return y + self.product(patches(f, x)).reshape(y.shape)


def patches(f: PatchEmbed, x: Tensor) -> Tensor:
    """The patches that the convolution of `f` sees: images [B 3 S S] → [B N 3·p·p]."""
    conv = f.proj
    return F.unfold(x, conv.kernel_size, stride=conv.stride).transpose(1, 2)


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A low-rank product at every target; `BadValue` for patches behind which a norm stands."""
    if "patch" in config.targets and "patch_embed.norm.weight" in anatomy.tensors:
        raise BadValue(
            f"a norm stands behind the patch embedding of {anatomy.arch}, so a product beside it"
            " would not be one on its convolution.",
            "Leave out the target `patch`.",
        )
    return Parts({site.name: _delta(site, config) for site in anatomy.at(*config.targets)})


def count(anatomy: Anatomy, config: Config) -> int:
    """R·(D_in + D_out) for each target, and D_out more with a bias."""
    sites = anatomy.at(*config.targets)
    return count_products(sites, config) + config.bias * sum(site.d_out for site in sites)


def count_products(sites: Iterable[Site], config: Product) -> int:
    """R·(D_in + D_out) for each site."""
    return sum(config.rank * (site.d_in + site.d_out) for site in sites)


def _delta(site: Site, config: Config) -> LoRA:
    kind = PatchLoRA if site.role == "patch" else LoRA
    return kind(site, config, config.bias)


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
