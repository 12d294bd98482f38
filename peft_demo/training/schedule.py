"""The learning rate over a run: linear warm-up, then a cosine down to zero (Loshchilov & Hutter, ICLR 2017)."""

from math import cos, pi


def factor(step: int, steps: int, warmup: float) -> float:
    """Share of the peak rate at `step` (0-based) of `steps`, `warmup` being the share of steps that climb."""
    climb = round(warmup * steps)
    if step < climb:
        return (step + 1) / (climb + 1)
    return 0.5 * (1 + cos(pi * (step - climb) / max(1, steps - climb)))
