"""BitFit: only the biases are trained.

Ben Zaken, Goldberg, Ravfogel, "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based Masked
Language-models", ACL 2022. As in VPT's vision baseline, every bias counts: patch embedding and norms included.
"""

from dataclasses import dataclass
from math import prod

from ..contracts.errors import BadValue
from ..vit import Anatomy
from ..vit.sites import MAPS
from . import Method, Parts


@dataclass(frozen=True)
class Config:
    """No knobs."""


def build(anatomy: Anatomy, config: Config) -> Parts:
    biases = tuple(name for name in anatomy.tensors if name.endswith(".bias"))
    if not biases:
        raise BadValue(f"{anatomy.arch} has no biases to train.", "Choose another method.")
    return Parts(replaces=biases)


def count(anatomy: Anatomy, config: Config) -> int:
    return sum(prod(shape) for name, shape in anatomy.tensors.items() if name.endswith(".bias"))


BITFIT = Method(
    name="bitfit",
    title="BitFit",
    summary="Trains every bias of the backbone and nothing else.",
    formula="y = W·x + b',  b' trained",
    paper="Ben Zaken et al., BitFit, ACL 2022",
    url="https://arxiv.org/abs/2106.10199",
    sites=("patch", *MAPS, "norm"),
    Config=Config,
    build=build,
    count=count,
    lr=9e-3,
)
