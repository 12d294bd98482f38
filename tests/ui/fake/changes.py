"""What the fake's adapters changed: two blocks, a weight, a bias, a bottleneck and a token."""

from peft_demo.contracts.changes import (
    BINS,
    Change,
    Changes,
    Directions,
    TrainedTensor,
    WeightChange,
)


def product(place: str, layer: int, size: float) -> Change:
    """A low-rank product whose ΔW is so large beside W."""
    spectrum = (4.0, 2.0, 1.0)
    weight = WeightChange((64, 64), 1.0, size, 1.0, 0.0, 1.0, 1.9, spectrum, (0.5,), spectrum)
    cosines = tuple(float(n == BINS // 2) for n in range(BINS))
    down = Directions("down", 2, 64, 0.9, 1.1, 0.3, 0.2, cosines, cosines, 0.1)
    bits = Directions("up", 2, 64, 1.0, 1.0, 0.0, 0.0, levels=((-0.5, 0.25), (0.5, 0.75)))
    tensors = (
        TrainedTensor("down", (2, 64), 1.4),
        TrainedTensor("up", (64, 2), 0.5, True),
        TrainedTensor("coefficients", (3,), 0.7, values=(0.1, -0.6, 0.3)),
    )
    return Change(place, "q", layer, 128, weight, "", tensors, (down, bits))


def changes() -> Changes:
    bias = WeightChange((0,), 0.0, 0.0, 2.0, 0.5, 0.0)
    token = WeightChange((1, 64), 2.0, 0.02, 0.0, 0.0, 1.0)
    return Changes(
        method="lora",
        backbone="tiny",
        trainable=1000,
        shared=128,
        changes=(
            Change("cls_token", "cls_token", -1, 64, token),
            product("blocks.0.q", 0, 0.1),
            Change("blocks.0.norm1", "norm1", 0, 64, bias),
            product("blocks.1.q", 1, 0.4),
            Change("blocks.1.mlp", "mlp", 1, 200, None, "What it adds is not linear."),
        ),
    )
