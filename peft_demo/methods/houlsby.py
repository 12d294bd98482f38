"""Houlsby adapters: a small bottleneck network after each of the block's two branches.

Houlsby et al., "Parameter-Efficient Transfer Learning for NLP", ICML 2019, figure 2: right before each skip connection

    y = f(x);   y + up(GELU(down(y)))         f the attention branch, f the MLP branch

The paper starts both projections at N(0, 0.01²), nearly the identity; here, as in `adapter` (which keeps the one after
the MLP), `down` is Xavier-uniform and `up` zero, exactly the identity (ours). The norms stay frozen (the paper trains
them); choose `ln` to see what they do alone.
"""

from ..vit import Anatomy
from . import Method, Parts, never
from .adapter import Bottleneck, Config

BRANCHES = ("attn", "mlp")


def build(anatomy: Anatomy, config: Config) -> Parts:
    return Parts({site.name: Bottleneck(site, config) for site in anatomy.at(*BRANCHES)})


def count(anatomy: Anatomy, config: Config) -> int:
    return sum(2 * s.d_out * config.hidden + config.hidden + s.d_out for s in anatomy.at(*BRANCHES))


HOULSBY = Method(
    name="houlsby",
    title="Houlsby adapters",
    summary="Puts a small bottleneck network after each attention and after each MLP.",
    formula="y = f(x);  y + up(GELU(down(y))),  after attention and after the MLP",
    paper="Houlsby et al., Parameter-Efficient Transfer Learning for NLP, ICML 2019",
    url="https://arxiv.org/abs/1902.00751",
    sites=BRANCHES,
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
    merges=never,
)
