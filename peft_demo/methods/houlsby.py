"""Houlsby adapters: a small bottleneck network after each of the block's two branches.

Houlsby et al., "Parameter-Efficient Transfer Learning for NLP", ICML 2019, figure 2. Right before
each of the two skip connections of a block:

    y = f(x);   y + up(drop(GELU(down(y))))         f the attention branch, f the MLP branch

The paper starts both projections at N(0, 0.01²), nearly the identity. Ours is exactly the identity,
as in `adapter`, which keeps the one after the MLP: `down` is Xavier-uniform and `up` zero. The
norms stay frozen; the paper trains them. Choose `ln` to see what they do alone.
"""

from ..contracts.families import BOTTLENECK
from ..vit import Anatomy
from . import Method, Parts, never
from .adapter import Bottleneck, Config, size

BRANCHES = ("attn", "mlp")


def build(anatomy: Anatomy, config: Config) -> Parts:
    """One bottleneck after each branch of each block."""
    return Parts({site.name: Bottleneck(site, config) for site in anatomy.at(*BRANCHES)})


def count(anatomy: Anatomy, config: Config) -> int:
    """2·D·H + H + D for each branch."""
    return sum(size(site, config) for site in anatomy.at(*BRANCHES))


HOULSBY = Method(
    name="houlsby",
    title="Houlsby adapters",
    summary="Puts a small bottleneck network after each attention and after each MLP.",
    formula="y = f(x);  y + up(GELU(down(y))),  after attention and after the MLP",
    paper="Houlsby et al., Parameter-Efficient Transfer Learning for NLP, ICML 2019",
    url="https://arxiv.org/abs/1902.00751",
    family=BOTTLENECK,
    sites=BRANCHES,
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
    merges=never,
)
