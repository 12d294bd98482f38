"""Bi-LoRA and Bi-AdaptFormer: adapters whose weights have one bit each (or 2, 4, 8).

Jie et al., "Revisiting the Parameter Efficiency of Adapters from the Perspective of Precision
Redundancy", ICCV 2023. Weights of so few bits may be more for the same file, so H is wide:

    Bi-LoRA         f(x) + s · drop(x Ŵ_downᵀ) Ŵ_upᵀ              at q and v
    Bi-AdaptFormer  f(x) + s · drop(ReLU(x Ŵ_downᵀ)) Ŵ_upᵀ        beside the MLP, x not normalised

    Ŵ = Q(z) · σ + μ,     z = (W - μ) / (σ + 10⁻⁵)

There are no biases anywhere. `levels` has the quantiser Q and says how a file keeps Ŵ. What trains
is W, in full precision.

W_down starts Kaiming-uniform(√5), W_up truncated normal(σ = 0.001, ±2σ). A constant tensor has no
z, so W_up cannot start at zero, and the model starts a little disturbed. `head_bits = 1` quantises
the head as well and leaves out its bias.

Ours: 8-bit levels start at equal probabilities, from where the authors' 500 iterations come closer
to the k-medians; a weight exactly on a threshold takes the level below it (the authors' 1-bit code
gives such a weight the mean). H may exceed the width, as the product of two binary matrices gains
from it.
"""

from dataclasses import dataclass
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ...contracts.families import BOTTLENECK, LOW_RANK
from ...contracts.knobs import knob
from ...vit import Anatomy, Delta, LowRank, Site
from ...vit.seam import Codec
from ...vit.sites import LINEARS
from .. import SCALES, Method, Parts, never, targets_knob
from .levels import Levels

BITS = (1, 2, 4, 8)
FULL = 32
"""Bits of a number that is not quantised."""


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
    targets: tuple[str, ...] = targets_knob(("q", "v"), LINEARS, "linears that get a product")


class BiAdaptFormer(Delta):
    """f(x) + s · drop(ReLU(x Ŵ_downᵀ)) Ŵ_upᵀ, x the residual stream [B N D].

    The parameters are `down` [H D_in] and `up` [D_out H].
    """

    matrices = ("down", "up")

    def __init__(self, site: Site, config: AdaptFormerConfig):
        super().__init__()
        self.down = nn.Parameter(torch.empty(config.hidden, site.d_in))
        self.up = nn.Parameter(torch.empty(site.d_out, config.hidden))
        self.codec = Levels(config.bits)
        self.scale = config.scale
        self.dropout = config.dropout
        nn.init.kaiming_uniform_(self.down, a=sqrt(5))
        nn.init.trunc_normal_(self.up, std=1e-3, a=-2e-3, b=2e-3)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        z = F.linear(x, effective(self.down, self.codec))
        z = self.activation(z)
        z = F.dropout(z, self.dropout, self.training)
        return f(x) + F.linear(self.scale * z, effective(self.up, self.codec))

    def activation(self, z: Tensor) -> Tensor:
        return F.relu(z)


class BiLoRA(BiAdaptFormer):
    """f(x) + s · drop(x Ŵ_downᵀ) Ŵ_upᵀ around a linear."""

    def activation(self, z: Tensor) -> Tensor:
        return z

    def low_rank(self, f: nn.Linear) -> LowRank:
        down = effective(self.down, self.codec)
        up = effective(self.up, self.codec)
        return LowRank(down, self.scale * up)


class BiHead(nn.Linear):
    """Features [B D] → logits [B C] with one-bit weights and no bias.

    It starts Kaiming-uniform(√5), as `nn.Linear` does.
    """

    matrices = ("weight",)
    codec: Codec | None = Levels(1)

    def __init__(self, features: int, classes: int):
        super().__init__(features, classes, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        return F.linear(input, effective(self.weight, self.codec))


def effective(W: Tensor, codec: Codec | None) -> Tensor:
    """The weight that is computed with: Ŵ, or W itself once it is dequantised."""
    return W if codec is None else codec.quantise(W)


def build_lora(anatomy: Anatomy, config: LoRAConfig) -> Parts:
    deltas = {site.name: BiLoRA(site, config) for site in anatomy.at(*config.targets)}
    return Parts(deltas, head=_head(config))


def count_lora(anatomy: Anatomy, config: LoRAConfig) -> int:
    return sum(config.hidden * (site.d_in + site.d_out) for site in anatomy.at(*config.targets))


def build_adaptformer(anatomy: Anatomy, config: AdaptFormerConfig) -> Parts:
    deltas = {site.name: BiAdaptFormer(site, config) for site in anatomy.at("mlp")}
    return Parts(deltas, head=_head(config))


def count_adaptformer(anatomy: Anatomy, config: AdaptFormerConfig) -> int:
    return sum(2 * config.hidden * site.d_in for site in anatomy.at("mlp"))


def _head(config: AdaptFormerConfig) -> type[nn.Linear] | None:
    return BiHead if config.head_bits == 1 else None


BI_LORA = Method(
    name="bi_lora",
    title="Bi-LoRA",
    summary="LoRA with one-bit weights: a 32 times smaller file, or a product 32 times as wide.",
    formula="y = f(x) + s · (x Ŵ_downᵀ) Ŵ_upᵀ,  Ŵ = ±0.6745 σ + μ",
    paper="Jie et al., Revisiting the Parameter Efficiency of Adapters from the Perspective of"
    " Precision Redundancy, ICCV 2023",
    url="https://arxiv.org/abs/2307.16867",
    family=LOW_RANK,
    sites=("q", "v"),
    Config=LoRAConfig,
    build=build_lora,
    count=count_lora,
    lr=1e-3,
    variants=("head_bits=1",),
    search=SCALES,
    identity=never,
)

BI_ADAPTFORMER = Method(
    name="bi_adaptformer",
    title="Bi-AdaptFormer",
    summary="A wide bottleneck beside each MLP in a small file: its weights have one bit each.",
    formula="y = f(x) + s · ReLU(x Ŵ_downᵀ) Ŵ_upᵀ,  Ŵ = ±0.6745 σ + μ",
    paper=BI_LORA.paper,
    url=BI_LORA.url,
    family=BOTTLENECK,
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
