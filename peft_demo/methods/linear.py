"""Linear probe: nothing but the head is trained. The floor every method is measured against."""

from dataclasses import dataclass

from . import Method, Parts


@dataclass(frozen=True)
class Config:
    """No knobs."""


LINEAR = Method(
    name="linear",
    title="Linear probe",
    summary="Trains the classification head alone, on frozen features.",
    formula="y = W·feature + b",
    paper="(baseline)",
    url="",
    sites=(),
    Config=Config,
    build=lambda anatomy, config: Parts(),
    count=lambda anatomy, config: 0,
    lr=1e-2,
)
