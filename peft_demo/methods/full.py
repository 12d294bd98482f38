"""Full fine-tuning: every tensor of the backbone is trained. The ceiling in parameters, not always in accuracy."""

from dataclasses import dataclass

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
    sites=("patch", "norm1", "q", "k", "v", "proj", "norm2", "fc1", "fc2"),
    Config=Config,
    build=lambda anatomy, config: Parts(replaces=tuple(anatomy.tensors)),
    count=lambda anatomy, config: anatomy.parameters,
    lr=3e-4,
)
