"""A method of one's own: learn one number per channel of the values, and compare it with a linear
probe.

    python examples/own_method.py

Nothing is downloaded. CONTRIBUTING.md tells how such a file becomes part of the project.
"""

from dataclasses import dataclass

import torch
from torch import nn

from peft_demo import load_backbone, train
from peft_demo.contracts.knobs import knob
from peft_demo.methods import Method, Parts, register
from peft_demo.vit import Delta


@dataclass(frozen=True)
class Config:
    start: float = knob(1.0, "Start", low=0.5, high=2.0, info="where every scale begins")


class ScaleValues(Delta):
    """y = f(x) · l, where f is the frozen value projection and l [D] is learned."""

    def __init__(self, width: int, start: float):
        super().__init__()
        self.l = nn.Parameter(torch.full((width,), start))

    def forward(self, f, x):
        return f(x) * self.l


def build(anatomy, config) -> Parts:
    deltas = {site.name: ScaleValues(site.d_out, config.start) for site in anatomy.at("v")}
    return Parts(deltas)


def count(anatomy, config) -> int:
    return sum(site.d_out for site in anatomy.at("v"))


register(
    Method(
        name="scale_values",
        title="Scaled values",
        summary="Rescales the values of every attention by a learned vector.",
        formula="y = f(x) · l",
        paper="",
        url="",
        sites=("v",),
        Config=Config,
        build=build,
        count=count,
        lr=1e-2,
        identity=lambda config: config.start == 1.0,
    )
)

backbone = load_backbone()
for method in ("linear", "scale_values"):
    adapter = train(backbone, method, "digits", shots=4, epochs=5)
    print(f"{method}: {adapter.accuracy:.1%} with {adapter.card.trainable:,} parameters")
