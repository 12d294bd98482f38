"""Linear probe: nothing but the head is trained.

    logits = W · feature + b,     W [C D] and b [C] start at zero

It is the baseline with the fewest parameters, with which every method is compared.
"""

from dataclasses import dataclass

from ..contracts.families import BASELINES
from ..vit import Anatomy
from . import Method, Parts


@dataclass(frozen=True)
class Config:
    """No knobs."""


def build(anatomy: Anatomy, config: Config) -> Parts:
    """Nothing beside the head that every adapter has."""
    return Parts()


def count(anatomy: Anatomy, config: Config) -> int:
    """None."""
    return 0


LINEAR = Method(
    name="linear",
    title="Linear probe",
    summary="Trains the classification head alone, on frozen features.",
    formula="y = W·feature + b",
    paper="(baseline)",
    url="",
    family=BASELINES,
    sites=(),
    Config=Config,
    build=build,
    count=count,
    lr=3e-3,
    head_lr=0.0,
)
