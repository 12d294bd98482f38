"""Full fine-tuning: every tensor of the backbone is trained. The ceiling in parameters, not always in accuracy."""

from dataclasses import dataclass

from ..vit.sites import MAPS
from . import Method, Parts


@dataclass(frozen=True)
class Config:
    """No knobs."""


FULL = Method(
    name="full",
    title="Full fine-tuning",
    summary="Trains a copy of every tensor of the backbone; the adapter file holds them all.",
    formula="y = f'(x),  every tensor of f' trained",
    paper="(baseline)",
    url="",
    sites=("patch", *MAPS),
    Config=Config,
    build=lambda anatomy, config: Parts(replaces=tuple(anatomy.tensors)),
    count=lambda anatomy, config: anatomy.parameters,
    lr=3e-4,
)
