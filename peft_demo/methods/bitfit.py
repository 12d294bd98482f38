"""BitFit: only the biases are trained.

Ben Zaken, Goldberg, Ravfogel, "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based
Masked Language-models", ACL 2022:

    y = W x + b',     b' trained from the frozen bias

As in VPT's baseline for vision, every bias counts, those of the patch embedding and the norms too.
"""

from dataclasses import dataclass
from math import prod

from ..contracts.errors import BadValue
from ..contracts.families import WHOLE_TENSORS
from ..vit import Anatomy
from ..vit.sites import MAPS
from . import Method, Parts


@dataclass(frozen=True)
class Config:
    """No knobs."""


def biases(anatomy: Anatomy) -> tuple[str, ...]:
    """timm names of all biases."""
    return tuple(name for name in anatomy.tensors if name.endswith(".bias"))


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A copy of every bias; `BadValue` where there is none."""
    if not biases(anatomy):
        raise BadValue(f"{anatomy.arch} has no biases to train.", "Choose another method.")
    return Parts(replaces=biases(anatomy))


def count(anatomy: Anatomy, config: Config) -> int:
    """The numbers in all biases."""
    return sum(prod(anatomy.tensors[name]) for name in biases(anatomy))


BITFIT = Method(
    name="bitfit",
    title="BitFit",
    summary="Trains every bias of the backbone and nothing else.",
    formula="y = W·x + b',  b' trained",
    paper="Ben Zaken et al., BitFit, ACL 2022",
    url="https://arxiv.org/abs/2106.10199",
    family=WHOLE_TENSORS,
    sites=("patch", *MAPS, "norm"),
    Config=Config,
    build=build,
    count=count,
    lr=9e-3,
)
