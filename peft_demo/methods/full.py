"""Full fine-tuning: every tensor of the backbone is trained.

    y = f'(x),     every tensor of f' trained from the frozen one

It is the baseline with the most parameters, not always the one with the best accuracy.
"""

from dataclasses import dataclass

from ..contracts.families import BASELINES
from ..vit import Anatomy
from ..vit.sites import MAPS
from . import Method, Parts


@dataclass(frozen=True)
class Config:
    """No knobs."""


def build(anatomy: Anatomy, config: Config) -> Parts:
    """A copy of every tensor."""
    return Parts(replaces=tuple(anatomy.tensors))


def count(anatomy: Anatomy, config: Config) -> int:
    """All parameters of the backbone."""
    return anatomy.parameters


FULL = Method(
    name="full",
    title="Full fine-tuning",
    summary="Trains a copy of every tensor of the backbone; the adapter file holds them all.",
    formula="y = f'(x),  every tensor of f' trained",
    paper="(baseline)",
    url="",
    family=BASELINES,
    sites=("patch", *MAPS),
    Config=Config,
    build=build,
    count=count,
    lr=1e-4,
)
