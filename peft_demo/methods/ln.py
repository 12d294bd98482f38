"""LN tuning: the scale and shift of every normalisation are trained, nothing else.

Mai et al., "Lessons and Insights from a Unifying Study of Parameter-Efficient Fine-Tuning (PEFT) in
Visual Recognition", CVPR 2025 (their flag `--ln`), study it for vision:

    y = γ' ⊙ (x − μ)/σ + β',     γ' and β' trained from the frozen values

A tensor belongs to a normalisation when the module it sits in is called one ("norm1", "fc_norm",
"q_norm").
"""

from dataclasses import dataclass
from math import prod

from ..contracts.errors import BadValue
from ..contracts.families import WHOLE_TENSORS
from ..vit import Anatomy
from . import Method, Parts


@dataclass(frozen=True)
class Config:
    """No knobs."""


def norms(anatomy: Anatomy) -> tuple[str, ...]:
    """timm names of the tensors of all normalisations."""
    return tuple(name for name in anatomy.tensors if "norm" in _module(name))


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A copy of every scale and shift; `BadValue` where there is none."""
    if not norms(anatomy):
        raise BadValue(
            f"{anatomy.arch} has no normalisation with weights to train.", "Choose another method."
        )
    return Parts(replaces=norms(anatomy))


def count(anatomy: Anatomy, config: Config) -> int:
    """The numbers in all scales and shifts."""
    return sum(prod(anatomy.tensors[name]) for name in norms(anatomy))


def _module(tensor: str) -> str:
    """The name of the module that holds a tensor: "blocks.0.norm1.bias" → "norm1"."""
    path = tensor.rpartition(".")[0]
    return path.rpartition(".")[2]


LN = Method(
    name="ln",
    title="LN tuning",
    summary="Trains the scale and shift of every normalisation.",
    formula="y = γ' ⊙ (x − μ)/σ + β',  γ' and β' trained",
    paper="Mai et al., Lessons and Insights from a Unifying Study of PEFT in Visual Recognition,"
    " CVPR 2025",
    url="https://arxiv.org/abs/2409.16434",
    family=WHOLE_TENSORS,
    sites=("norm1", "norm2", "norm"),
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
)
