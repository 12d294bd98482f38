"""The learning rate over a run: linear warm-up, then a cosine down to zero.

Loshchilov & Hutter, SGDR, ICLR 2017.
"""

from math import cos, pi


def factor(step: int, steps: int, warmup: float) -> float:
    """The rate at `step` (0-based) of `steps`, as a fraction of the peak rate.

    `warmup` is the fraction of the steps in which the rate climbs.
    """
    climb = round(warmup * steps)
    if step < climb:
        return (step + 1) / (climb + 1)
    angle = pi * (step - climb) / max(1, steps - climb)
    return 0.5 * (1 + cos(angle))
