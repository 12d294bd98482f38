"""VPT: learned prompt tokens that travel with the image's own through frozen blocks.

Jia et al., "Visual Prompt Tuning", ECCV 2022. With z₀ the prefix tokens, E the patch tokens and P
the prompts:

    shallow   [z₀, Z, E] = blocks([z₀, P, E])        once, at the input of the stack of blocks
    deep      [z₀, _, E] = block_l([z₀, P_l, E])     fresh prompts at the input of every block

Prompts are uniform in ±√(6 / (3·patch² + D)), Xavier's bound for the patch embedding. They stand
after *all* prefix tokens (class token and registers; the authors' code knows a class token only)
and are taken out again at the end. So the rest of the model, average pooling too, never sees them.
Dropout acts on the prompts. They are tokens, not matrices: no weight decay (ours; the authors decay
them).
"""

from dataclasses import dataclass
from functools import partial
from math import sqrt

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ..contracts.families import PROMPTS
from ..contracts.knobs import knob
from ..vit import Anatomy, Delta, Site
from . import Method, Parts, never


@dataclass(frozen=True)
class Config:
    """Knobs of VPT."""

    prompts: int = knob(
        10, "Prompts", low=1, high=200, info="P, learned tokens (in each block where deep)"
    )
    dropout: float = knob(0.0, "Dropout", low=0.0, high=0.9, info="on the prompts", advanced=True)


class Prompted(Delta):
    """f(cat[prefix, prompts, patches]) without the prompts again: [B N D] → [B N D].

    `prompts` is [P D].
    """

    def __init__(self, anatomy: Anatomy, config: Config):
        super().__init__()
        self.prompts = nn.Parameter(torch.empty(config.prompts, anatomy.width))
        self.prefix = anatomy.prefix
        self.dropout = config.dropout
        patch_numbers = anatomy.at("patch")[0].d_in
        bound = sqrt(6 / (patch_numbers + anatomy.width))
        nn.init.uniform_(self.prompts, -bound, bound)

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        start = self.prefix
        end = start + len(self.prompts)
        prompts = self.prompts.expand(x.shape[0], -1, -1)  # len(x) would fix it in a graph
        prompts = F.dropout(prompts, self.dropout, self.training)
        tokens = torch.cat([x[:, :start], prompts, x[:, start:]], dim=1)
        y = f(tokens)
        return torch.cat([y[:, :start], y[:, end:]], dim=1)


def build(anatomy: Anatomy, config: Config, role: str) -> Parts:
    """Prompts at the input of every site of this role."""
    return Parts({site.name: Prompted(anatomy, config) for site in _sites(anatomy, role)})


def count(anatomy: Anatomy, config: Config, role: str) -> int:
    """P·D for each site."""
    return len(_sites(anatomy, role)) * config.prompts * anatomy.width


def _sites(anatomy: Anatomy, role: str) -> list[Site]:
    anatomy.check_plain("VPT", "prompts are tokens in a sequence")
    return anatomy.at(role)


VPT_SHALLOW = Method(
    name="vpt_shallow",
    title="VPT-shallow",
    summary="Adds a few learned tokens at the input, beside the image's own.",
    formula="[z, _, E] = blocks([z, P, E]),  P learned",
    paper="Jia et al., Visual Prompt Tuning, ECCV 2022",
    url="https://arxiv.org/abs/2203.12119",
    family=PROMPTS,
    sites=("stack",),
    Config=Config,
    build=partial(build, role="stack"),
    count=partial(count, role="stack"),
    lr=9e-3,
    merges=never,
    identity=never,
)

VPT_DEEP = Method(
    name="vpt_deep",
    title="VPT-deep",
    summary="Adds a few learned tokens at the input of every block, fresh ones each time.",
    formula="[z, _, E] = block([z, P, E]),  P learned in each block",
    paper=VPT_SHALLOW.paper,
    url=VPT_SHALLOW.url,
    family=PROMPTS,
    sites=("block",),
    Config=Config,
    build=partial(build, role="block"),
    count=partial(count, role="block"),
    lr=3e-3,
    merges=never,
    identity=never,
)
