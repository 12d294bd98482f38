"""Partial-k: the last k blocks and the final norm are trained, the rest stays frozen.

The baseline of Jia et al., "Visual Prompt Tuning", ECCV 2022 (after Yosinski et al., NeurIPS 2014):

    y = f'(x),     every tensor of the last k blocks and of the final norm trained

The final norm is whichever the backbone ends with: `norm` or, before average pooling, `fc_norm`.
Asking for more blocks than there are takes them all (ours).
"""

from dataclasses import dataclass
from math import prod

from ..contracts.families import WHOLE_TENSORS
from ..contracts.knobs import knob
from ..vit import Anatomy
from . import Method, Parts

FINAL = ("norm.", "fc_norm.")
"""How the names of a final norm's tensors begin."""


@dataclass(frozen=True)
class Config:
    """Knobs of Partial-k."""

    blocks: int = knob(
        1, "Blocks", low=1, high=12, info="k, counted from the end; at most all there are"
    )


def last(anatomy: Anatomy, k: int) -> tuple[str, ...]:
    """timm names of the tensors of the last k blocks and the final norm."""
    blocks = tuple(f"{site.name}." for site in anatomy.at("block")[-k:])
    return tuple(name for name in anatomy.tensors if name.startswith(FINAL + blocks))


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A copy of these tensors."""
    return Parts(replaces=last(anatomy, config.blocks))


def count(anatomy: Anatomy, config: Config) -> int:
    """The numbers in these tensors."""
    return sum(prod(anatomy.tensors[name]) for name in last(anatomy, config.blocks))


PARTIAL = Method(
    name="partial",
    title="Partial-k",
    summary="Trains the last blocks of the backbone and its final norm.",
    formula="y = f'(x),  every tensor of the last k blocks trained",
    paper="Jia et al., Visual Prompt Tuning, ECCV 2022 (its baseline)",
    url="https://arxiv.org/abs/2203.12119",
    family=WHOLE_TENSORS,
    sites=("block", "norm"),
    Config=Config,
    build=build,
    count=count,
    lr=9e-4,
)
