"""Adapter+: a bottleneck network after each block, scaled channel by channel.

Steitz and Roth, "Adapters Strike Back", CVPR 2024. After both branches of a block and their skips
("Post-Adapter"), with y [B N D] the residual stream:

    y ↦ y + s ⊙ drop_path(up(GELU(down(y))))

down [H D] and up [D H] have biases. s [D] is the channel-wise scale and starts at one. No LayerNorm
stands in front, as the paper decides; the knob `norm` has the usual one. The start is Houlsby's:
both matrices from a normal distribution of deviation 0.01, cut at two deviations, and biases zero.
So it starts near the frozen model, not as it. Drop path leaves the adapter out for a tenth of the
images in training, as in the authors' code, and scales up the others.

The authors' runs also drop paths of the ViT itself, with the same chance; here the frozen backbone
has none.
"""

from dataclasses import dataclass

import torch
from timm.layers.drop import drop_path
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import BOTTLENECK
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from . import Method, Parts, never

DEVIATION = 0.01
"""Of the numbers that both matrices start from."""
NORM_EPSILON = 1e-6
"""timm's for the LayerNorms of a Vision Transformer."""


@dataclass(frozen=True)
class Config:
    """Knobs of Adapter+."""

    hidden: int = knob(8, "Hidden", low=1, high=512, info="H, width of the bottleneck")
    drop_path: float = knob(
        0.1, "Drop path", low=0.0, high=0.9, info="share of images without it in training"
    )
    norm: bool = knob(False, "LayerNorm", info="a LayerNorm before the bottleneck", advanced=True)


class PostAdapter(Delta):
    """y + s ⊙ drop_path(up(GELU(down(y)))) with y = f(x) [B ... D] what a block returns.

    The parameters are `down` [H D], `up` [D H], their biases, `scale` s [D], and with the knob
    `norm` those of a LayerNorm before `down`.
    """

    matrices = ("down", "up")

    def __init__(self, site: Site, config: Config):
        super().__init__()
        D = site.d_out
        H = config.hidden
        self.norm = nn.LayerNorm(D, eps=NORM_EPSILON) if config.norm else nn.Identity()
        self.down = nn.Parameter(torch.empty(H, D))
        self.down_bias = nn.Parameter(torch.zeros(H))
        self.up = nn.Parameter(torch.empty(D, H))
        self.up_bias = nn.Parameter(torch.zeros(D))
        self.scale = nn.Parameter(torch.ones(D))
        self.drop_path = config.drop_path
        for matrix in (self.down, self.up):
            nn.init.trunc_normal_(matrix, std=DEVIATION, a=-2 * DEVIATION, b=2 * DEVIATION)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        y = f(x)
        z = F.linear(self.norm(y), self.down, self.down_bias)
        z = F.linear(F.gelu(z), self.up, self.up_bias)
        z = drop_path(z, self.drop_path, self.training)
        return y + self.scale * z


def build(anatomy: Anatomy, config: Config) -> Parts:
    """One bottleneck after each block."""
    return Parts({site.name: PostAdapter(site, config) for site in anatomy.at("block")})


def count(anatomy: Anatomy, config: Config) -> int:
    """2·D·H + H + 2·D for each block, and 2·D more for a LayerNorm."""
    H = config.hidden
    vectors = 4 if config.norm else 2
    return sum(2 * site.d_out * H + H + vectors * site.d_out for site in anatomy.at("block"))


ADAPTER_PLUS = Method(
    name="adapter_plus",
    title="Adapter+",
    summary="Puts a small bottleneck network after each block and scales each of its channels.",
    formula="y = f(x);  y + s ⊙ drop_path(up(GELU(down(y))))",
    paper="Steitz and Roth, Adapters Strike Back, CVPR 2024",
    url="https://arxiv.org/abs/2406.06820",
    family=BOTTLENECK,
    sites=("block",),
    Config=Config,
    build=build,
    count=count,
    lr=9e-3,
    merges=never,
    identity=never,
)
