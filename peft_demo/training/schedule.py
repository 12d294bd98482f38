"""The learning rate over a run: linear warm-up, then a cosine down to zero. And when it is
validated.

Loshchilov & Hutter, SGDR, ICLR 2017.
"""

from math import ceil, cos, pi

EVALUATIONS = 10
"""Validations per run, evenly spread, the last one at the end."""


def factor(step: int, steps: int, warmup: float) -> float:
    """The rate at `step` (0-based) of `steps`, as a fraction of the peak rate.

    `warmup` is the fraction of the steps in which the rate climbs.
    """
    climb = round(warmup * steps)
    if step < climb:
        return (step + 1) / (climb + 1)
    angle = pi * (step - climb) / max(1, steps - climb)
    return 0.5 * (1 + cos(angle))


def rate(share: float, peak: float, lowest: float) -> float:
    """The learning rate at a fraction of its way from the lowest, or 0, up to its peak."""
    lowest = min(lowest, peak)
    return lowest + share * (peak - lowest)


def is_validated(step: int, steps_per_epoch: int, epochs: int) -> bool:
    """Whether an epoch ends with this step (1-based) after which the run is validated."""
    epoch, rest = divmod(step, steps_per_epoch)
    every = ceil(epochs / EVALUATIONS)
    return rest == 0 and (epoch % every == 0 or epoch == epochs)
