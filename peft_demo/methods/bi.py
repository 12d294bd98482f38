"""Bi-LoRA and Bi-AdaptFormer: adapters whose weights have one bit each (or 2, 4, 8), and are wider for it.

Jie et al., "Revisiting the Parameter Efficiency of Adapters from the Perspective of Precision Redundancy", ICCV 2023:

    Bi-LoRA         f(x) + s · drop(x Ŵ_downᵀ) Ŵ_upᵀ              at q and v
    Bi-AdaptFormer  f(x) + s · drop(ReLU(x Ŵ_downᵀ)) Ŵ_upᵀ        beside the MLP, x not normalised; no biases anywhere

    Ŵ = Q(z) · σ + μ,     z = (W - μ) / (σ + 10⁻⁵),     μ and σ the mean and the standard deviation of the tensor W

Q gives the nearest of 2^bits levels, the k-medians of N(0, 1): each level is the median of its cell, each threshold
lies halfway between two levels, so that the mean absolute error is least; ±0.6745 for one bit. What trains is W, in
full precision. The gradient passes Q as if it were not there ("straight through"), and μ and σ as what they are.

A file keeps codes, μ and σ (see `adapters/codec.py`), and the Ŵ they give back are bit for bit those of training.

W_down starts Kaiming-uniform(√5), W_up truncated normal(σ = 0.001, ±2σ): a constant tensor has no z, so it cannot start
at zero, and the model starts a little disturbed. `head_bits = 1` quantises the head as well and leaves out its bias.
Ours: 8-bit levels start at equal probabilities, from where the authors' 500 iterations come closer to the k-medians;
a weight exactly on a threshold takes the level below it (the authors' 1-bit code gives such a weight the mean).
H may exceed the width: the product of two binary matrices gains from it.
"""

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from math import sqrt
from statistics import NormalDist

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, LowRank, Site
from ..vit.sites import LINEARS
from . import SCALES, Method, Parts, never

BITS = (1, 2, 4, 8)
FULL = 32
"""Bits of a number that is not quantised."""

EPSILON = 1e-5
ITERATIONS = 500


@torch.compiler.assume_constant_result
def codebook(bits: int) -> tuple[float, ...]:
    """The 2^bits levels, ascending and symmetric; rounded, so that every machine reads the same from a file."""
    return _codebook(bits)


@lru_cache
def _codebook(bits: int) -> tuple[float, ...]:
    normal = NormalDist()
    half = 2 ** (bits - 1)
    levels = [normal.inv_cdf(0.5 + (i + 0.5) / (2 * half)) for i in range(half)]
    for _ in range(ITERATIONS):
        edges = [0.5, *(normal.cdf((a + b) / 2) for a, b in pairwise(levels)), 1.0]
        levels = [normal.inv_cdf((a + b) / 2) for a, b in pairwise(edges)]
    positive = [round(level, 6) for level in levels]
    return (*(-level for level in reversed(positive)), *positive)


def standardised(W: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """z of W's shape, and the scalars μ and σ."""
    std, mean = torch.std_mean(W)
    return (W - mean) / (std + EPSILON), mean, std


def codes(z: Tensor, bits: int) -> Tensor:
    """Index of the nearest level for each number of `z`."""
    levels = codebook(bits)
    return torch.bucketize(z, z.new_tensor([(a + b) / 2 for a, b in pairwise(levels)]))


def decoded(codes: Tensor, mean: Tensor, std: Tensor, bits: int) -> Tensor:
    """Ŵ from what a file keeps."""
    return std.new_tensor(codebook(bits))[codes] * std + mean


def quantised(W: Tensor, bits: int) -> Tensor:
    """Ŵ, straight-through; W itself where `bits` is 32."""
    if bits == FULL:
        return W
    z, mean, std = standardised(W)
    q = z.new_tensor(codebook(bits))[codes(z.detach(), bits)]
    return (q + (z - z.detach())) * std + mean


@dataclass(frozen=True)
class AdaptFormerConfig:
    hidden: int = knob(32, "Hidden", low=1, high=512, info="H, width of the bottleneck")
    bits: int = knob(1, "Bits", choices=BITS, info="of a weight")
    head_bits: int = knob(
        FULL, "Head bits", choices=(FULL, 1), info="32: a plain head; 1: quantised, no bias"
    )
    scale: float = knob(
        10.0, "Scale", low=0.01, high=100.0, info="s, searched per dataset in the paper"
    )
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )


@dataclass(frozen=True)
class LoRAConfig(AdaptFormerConfig):
    targets: tuple = knob(("q", "v"), "Targets", choices=LINEARS, info="linears that get a product")


class BiLoRA(Delta):
    """f(x) + s · drop(x Ŵ_downᵀ) Ŵ_upᵀ, with `down` [H D_in] and `up` [D_out H]."""

    matrices = ("down", "up")

    def __init__(self, site: Site, config: AdaptFormerConfig):
        super().__init__()
        self.down = nn.Parameter(torch.empty(config.hidden, site.d_in))
        self.up = nn.Parameter(torch.empty(site.d_out, config.hidden))
        self.bits = config.bits
        self.scale = config.scale
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))
        nn.init.trunc_normal_(self.up, std=1e-3, a=-2e-3, b=2e-3)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        z = self.activation(F.linear(x, quantised(self.down, self.bits)))
        z = F.dropout(z, self.dropout, self.training)
        return f(x) + F.linear(self.scale * z, quantised(self.up, self.bits))

    def activation(self, z: Tensor) -> Tensor:
        return z

    def low_rank(self, f: nn.Linear) -> LowRank:
        return LowRank(quantised(self.down, self.bits), self.scale * quantised(self.up, self.bits))


class BiAdaptFormer(BiLoRA):
    """f(x) + s · drop(ReLU(x Ŵ_downᵀ)) Ŵ_upᵀ, x the residual stream [B N D]."""

    def activation(self, z: Tensor) -> Tensor:
        return F.relu(z)

    def low_rank(self, f: nn.Module) -> None:
        return None


class BiHead(nn.Linear):
    """Features [B D] → logits [B C] with one-bit weights and no bias. Kaiming-uniform(√5), as `nn.Linear` starts."""

    matrices = ("weight",)
    bits = 1

    def __init__(self, features: int, classes: int):
        super().__init__(features, classes, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, quantised(self.weight, self.bits))


def build_lora(anatomy: Anatomy, config: LoRAConfig) -> Parts:
    return Parts(
        {site.name: BiLoRA(site, config) for site in anatomy.at(*config.targets)},
        head=_head(config),
    )


def count_lora(anatomy: Anatomy, config: LoRAConfig) -> int:
    return sum(config.hidden * (site.d_in + site.d_out) for site in anatomy.at(*config.targets))


def build_adaptformer(anatomy: Anatomy, config: AdaptFormerConfig) -> Parts:
    return Parts(
        {site.name: BiAdaptFormer(site, config) for site in anatomy.at("mlp")}, head=_head(config)
    )


def count_adaptformer(anatomy: Anatomy, config: AdaptFormerConfig) -> int:
    return sum(2 * config.hidden * site.d_in for site in anatomy.at("mlp"))


def _head(config: AdaptFormerConfig) -> type[nn.Linear] | None:
    return BiHead if config.head_bits == 1 else None


BI_LORA = Method(
    name="bi_lora",
    title="Bi-LoRA",
    summary="LoRA with one-bit weights: a 32 times smaller file, or a 32 times wider product in the same one.",
    formula="y = f(x) + s · (x Ŵ_downᵀ) Ŵ_upᵀ,  Ŵ = ±0.6745 σ + μ",
    paper="Jie et al., Revisiting the Parameter Efficiency of Adapters from the Perspective of Precision Redundancy, "
    "ICCV 2023",
    url="https://arxiv.org/abs/2307.16867",
    sites=("q", "v"),
    Config=LoRAConfig,
    build=build_lora,
    count=count_lora,
    lr=3e-3,
    variants=("head_bits=1",),
    search=SCALES,
    identity=never,
)

BI_ADAPTFORMER = Method(
    name="bi_adaptformer",
    title="Bi-AdaptFormer",
    summary="A bottleneck beside each MLP whose weights have one bit each, so that it can be wide in a small file.",
    formula="y = f(x) + s · ReLU(x Ŵ_downᵀ) Ŵ_upᵀ,  Ŵ = ±0.6745 σ + μ",
    paper=BI_LORA.paper,
    url=BI_LORA.url,
    sites=("mlp",),
    Config=AdaptFormerConfig,
    build=build_adaptformer,
    count=count_adaptformer,
    lr=3e-3,
    variants=("head_bits=1",),
    search=SCALES,
    merges=never,
    identity=never,
)
