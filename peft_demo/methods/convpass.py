"""Convpass: a convolutional bypass beside attention and beside the MLP, for the sense of space that a ViT lacks.

Jie and Deng, "Convolutional Bypasses Are Better Vision Transformer Adapters", 2022. With h = norm(x), beside
each of the two branches:

    x ↦ f(x) + s · up(drop(σ(conv(σ(down(h)))))),     down [H D], conv 3×3 from H to H, up [D H],   σ QuickGELU

The patch tokens are convolved as the image they came from, zero-padded; each prefix token as an image of 1×1, which
only the middle of the kernel sees. (The authors know one class token; registers likewise is ours.) `down` is
Xavier-uniform, `up` and all biases zero; the kernel starts as the identity, or Xavier-uniform, which the authors choose
per task. As in their code the bypass passes by the layer scale, where there is one. The norm is computed once.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from . import SCALES, Method, Parts, never

BRANCHES = ("attn", "mlp")


@dataclass(frozen=True)
class Config:
    hidden: int = knob(8, "Hidden", low=1, high=128, info="H, width of the bottleneck")
    scale: float = knob(
        10.0, "Scale", low=0.01, high=100.0, info="s, in front of the bypass", advanced=True
    )
    dropout: float = knob(
        0.1, "Dropout", low=0.0, high=0.9, info="inside the bottleneck", advanced=True
    )
    start: str = knob(
        "identity", "Start", choices=("identity", "xavier"), info="of the 3×3 kernel", advanced=True
    )


class Bypass(Delta):
    """f(x) + s · up(drop(σ(conv(σ(down(norm(x))))))), around a branch f of the residual stream x [B N D]."""

    matrices = ("down", "conv", "up")

    def __init__(self, anatomy: Anatomy, config: Config):
        super().__init__()
        D = anatomy.width
        H = config.hidden
        self.down = nn.Parameter(torch.empty(H, D))
        self.down_bias = nn.Parameter(torch.zeros(H))
        self.conv = nn.Parameter(torch.empty(H, H, 3, 3))
        self.conv_bias = nn.Parameter(torch.zeros(H))
        self.up = nn.Parameter(torch.zeros(D, H))
        self.up_bias = nn.Parameter(torch.zeros(D))
        self.prefix = anatomy.prefix
        self.grid = anatomy.grid
        self.scale = config.scale
        self.dropout = config.dropout
        nn.init.xavier_uniform_(self.down)
        (nn.init.dirac_ if config.start == "identity" else nn.init.xavier_uniform_)(self.conv)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        h = f.norm(x)
        return f.drop(f.scale(f.map(h)) + self.bypass(h))

    def bypass(self, h: Tensor) -> Tensor:
        z = quick_gelu(F.linear(h, self.down, self.down_bias))
        z = F.dropout(quick_gelu(self.convolved(z)), self.dropout, self.training)
        return F.linear(self.scale * z, self.up, self.scale * self.up_bias)

    def convolved(self, z: Tensor) -> Tensor:
        """[B N H] → [B N H]."""
        patches = z[:, self.prefix :].mT.unflatten(2, self.grid)
        patches = F.conv2d(patches, self.conv, self.conv_bias, padding=1).flatten(2).mT
        prefix = F.linear(z[:, : self.prefix], self.conv[:, :, 1, 1], self.conv_bias)
        return torch.cat([prefix, patches], dim=1)


def quick_gelu(z: Tensor) -> Tensor:
    return z * torch.sigmoid(1.702 * z)


def build(anatomy: Anatomy, config: Config) -> Parts:
    return Parts({site.name: Bypass(anatomy, config) for site in _sites(anatomy)})


def count(anatomy: Anatomy, config: Config) -> int:
    D = anatomy.width
    H = config.hidden
    return len(_sites(anatomy)) * ((2 * H + 1) * D + 9 * H**2 + 2 * H)


def _sites(anatomy: Anatomy) -> list[Site]:
    anatomy.check_plain(
        "Convpass", "it convolves one grid of patches, beside prefix tokens, in every block"
    )
    return anatomy.at(*BRANCHES)


CONVPASS = Method(
    name="convpass",
    title="Convpass",
    summary="Runs a small convolution over the patch grid beside each attention and each MLP.",
    formula="y = f(x) + s · up(σ(conv(σ(down(norm(x))))))",
    paper="Jie and Deng, Convolutional Bypasses Are Better Vision Transformer Adapters, 2022",
    url="https://arxiv.org/abs/2207.07039",
    sites=BRANCHES,
    Config=Config,
    build=build,
    count=count,
    lr=3e-4,
    search=SCALES,
    merges=never,
)
