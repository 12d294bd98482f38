"""Convpass: a convolution beside attention and beside the MLP, which see the image as a sequence.

Jie and Deng, "Convolutional Bypasses Are Better Vision Transformer Adapters", 2022. Beside each of
the two branches of a block, with h = norm(x):

    x ↦ f(x) + s · up(drop(σ(conv(σ(down(h))))))

down [H D] is Xavier-uniform, conv a 3×3 kernel from H to H channels, up [D H] zero, σ QuickGELU;
all have biases that start at zero. The kernel starts as the identity, or Xavier-uniform: the
authors choose per task.

The patch tokens are convolved as the image they came from, zero-padded. Each prefix token is an
image of 1×1, which only the middle of the kernel sees. (The authors know one class token; registers
likewise is ours.) As in their code, the bypass passes by the layer scale, where there is one. The
norm is computed once for the branch and the bypass.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import BOTTLENECK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from ..vit.sites import Branch
from . import SCALES, Method, Parts, never

BRANCHES = ("attn", "mlp")


@dataclass(frozen=True)
class Config:
    """Knobs of Convpass."""

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
    """f(x) + s · up(drop(σ(conv(σ(down(norm(x))))))), f a branch of the residual stream x [B N
    D]."""

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
        start = nn.init.dirac_ if config.start == "identity" else nn.init.xavier_uniform_
        nn.init.xavier_uniform_(self.down)
        start(self.conv)

    def forward(self, f: Branch, x: Tensor) -> Tensor:
        h = f.norm(x)
        y = f.scale(f.map(h))
        return f.drop(y + self.bypass(h))

    def bypass(self, h: Tensor) -> Tensor:
        """What is added to the branch, from its normalised input [B N D]."""
        z = quick_gelu(F.linear(h, self.down, self.down_bias))
        z = quick_gelu(self.convolved(z))
        z = F.dropout(z, self.dropout, self.training)
        return F.linear(self.scale * z, self.up, self.scale * self.up_bias)

    def convolved(self, z: Tensor) -> Tensor:
        """The tokens after the convolution, [B N H] → [B N H]."""
        image = z[:, self.prefix :].mT.unflatten(2, self.grid)
        image = F.conv2d(image, self.conv, self.conv_bias, padding=1)
        patches = image.flatten(2).mT
        middle = self.conv[:, :, 1, 1]
        prefix = F.linear(z[:, : self.prefix], middle, self.conv_bias)
        return torch.cat([prefix, patches], dim=1)


def quick_gelu(z: Tensor) -> Tensor:
    """σ(z) = z · sigmoid(1.702 z)."""
    return z * torch.sigmoid(1.702 * z)


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A bypass beside each branch."""
    return Parts({site.name: Bypass(anatomy, config) for site in _sites(anatomy)})


def count(anatomy: Anatomy, config: Config) -> int:
    """(2·H + 1)·D + 9·H² + 2·H for each branch."""
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
    family=BOTTLENECK,
    sites=BRANCHES,
    Config=Config,
    build=build,
    count=count,
    lr=3e-4,
    search=SCALES,
    merges=never,
)
