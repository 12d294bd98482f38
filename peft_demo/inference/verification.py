"""Whether a model still answers the probe pictures as its adapter did when it was made, and if not,
what may be wrong.

Differences are measured against the spread of the kept logits, from the lowest to the highest. Of
the shipped adapters, at 112 px: another thread count or merging moves them by 6e-7 of it at most,
one level of brightness in each pixel by 0.3 %, weights or products in fp16 by 0.03 %, in bf16 by
0.8 %; bilinear in place of bicubic by 1.6 % at least, missing antialiasing by 2 %, another
normalisation by 16 %, a crop by 19 %, BGR by 24 % (`tests/test_zoo.py`).
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ..contracts.errors import BadAdapter
from ..contracts.probes import Probes, check_version
from ..contracts.text import quoted
from ..contracts.verification import Verification
from ..data.probes import probe_pictures
from .runner import Runner
from .slips import slips

TOLERANCE = 0.01
"""Of the spread: more than bf16 makes, less than any slip that has been measured."""
ROUNDING = 1e-3
"""Of the spread: more than fp32 on another machine and another program's resizing make."""
LEAST_SPREAD = 1e-3
"""Of logits that are nearly all alike; their differences are judged by this."""
SHOWN = 3
"""Classes that a sentence names."""
UNEXPLAINED = (
    "None of the usual slips explains it (order of channels or classes, cropping, interpolation,"
    " normalisation, a factor), so these are other weights: another backbone, or another adapter."
)


def verify(runner: Runner, kept: Probes, name: str, share: float = TOLERANCE) -> Verification:
    """What the model of `runner`, which sentences call `name`, answers beside what was `kept`.

    `share` of the spread is tolerated. `BadAdapter` says why they cannot be compared.
    """
    check_version(kept.version, name)
    expected = torch.tensor(kept.logits)
    actual = torch.stack([runner.own(picture) for picture in probe_pictures()])
    _check_comparable(actual, expected, name)
    tolerance = share * max(kept.spread, LEAST_SPREAD)
    difference = _difference(actual, expected)
    named = list(_other_names(runner.classes, kept.classes))
    if difference <= tolerance:
        notes = [*named, *_remarks(kept, difference)]
    else:
        notes = [*named, *_causes(runner, kept.classes, actual, expected, tolerance)]
    return Verification(
        runner.by,
        difference,
        tolerance,
        torch.equal(actual.argmax(dim=1), expected.argmax(dim=1)),
        difference <= tolerance and not named,
        tuple(notes),
    )


def _check_comparable(actual: Tensor, expected: Tensor, name: str) -> None:
    if actual.shape != expected.shape:
        raise BadAdapter(
            f"{name} answers for {actual.shape[1]} classes, and its probe logits are of"
            f" {expected.shape[1]}."
        )
    if not actual.isfinite().all():
        raise BadAdapter(f"{name} answers a value that is not a finite number.")


def _difference(actual: Tensor, expected: Tensor) -> float:
    return (actual - expected).abs().max().item()


def _other_names(own: tuple[str, ...], kept: tuple[str, ...]) -> Iterator[str]:
    """Says where the classes are called otherwise than those of the kept logits."""
    if own == kept:
        return
    if sorted(own) == sorted(kept):
        yield f"Its class names are in another order: {_renamed(own, kept)}."
    else:
        yield f"Its classes are called otherwise: {_renamed(own, kept)}."


def _renamed(own: tuple[str, ...], kept: tuple[str, ...]) -> str:
    pairs = [
        f"{quoted(now)} where {quoted(before)} stood"
        for now, before in zip(own, kept, strict=False)
        if now != before
    ]
    more = f" and {len(pairs) - SHOWN} more" if len(pairs) > SHOWN else ""
    return ", ".join(pairs[:SHOWN]) + more if pairs else f"{len(own)} in place of {len(kept)}"


def _remarks(kept: Probes, difference: float) -> Iterator[str]:
    """What there is to know where the logits agree."""
    if kept.spread < LEAST_SPREAD:
        yield "Its logits are nearly all alike, so they tell little."
    elif difference > ROUNDING * kept.spread:
        yield (
            "That is more than rounding in fp32 makes: weights or products in half precision, or"
            " another interpolation."
        )


def _causes(
    runner: Runner,
    classes: tuple[str, ...],
    actual: Tensor,
    expected: Tensor,
    tolerance: float,
) -> list[str]:
    """What may be wrong with a model that answers otherwise, in sentences."""
    found = [
        _other_order(classes, actual, expected, tolerance),
        _factor(actual, expected, tolerance),
        _slip(runner, expected, tolerance),
    ]
    return [words for words in found if words] or [UNEXPLAINED]


def _other_order(
    classes: tuple[str, ...], actual: Tensor, expected: Tensor, tolerance: float
) -> str:
    """Says that the logits are those that were kept, of classes in another order."""
    from scipy.optimize import linear_sum_assignment

    distances = torch.cdist(expected.T, actual.T, p=float("inf"))  # kept class by class now
    _, places = linear_sum_assignment(distances.numpy())
    if distances[torch.arange(len(places)), torch.from_numpy(places)].max() > tolerance:
        return ""
    now = {int(place): kept for kept, place in enumerate(places)}
    order = tuple(classes[now[place]] for place in range(len(classes)))
    return f"The rows of its head are in another order: {_renamed(order, classes)}."


def _factor(actual: Tensor, expected: Tensor, tolerance: float) -> str:
    """Says that all logits are so many times what they were."""
    square = expected.square().sum()
    factor = ((actual * expected).sum() / square).item() if square else 0.0
    if factor <= 0 or _difference(actual / factor, expected) > tolerance:
        return ""
    return f"All logits are {factor:.3g} times what they were: another temperature or scale."


def _slip(runner: Runner, expected: Tensor, tolerance: float) -> str:
    """Names the slip that brings the kept logits back; of several the one that does so best."""
    tried = {}
    for slip in slips(runner):
        squares = [slip.prepare(picture, runner.size) for picture in probe_pictures()]
        rows = torch.stack([runner.of_square(s, slip.normalisation) for s in squares])
        tried[slip.words] = _difference(rows, expected)
    words = min(tried, key=lambda words: tried[words])
    if not tried[words] <= tolerance:
        return ""
    return f"Its answers come out right for pictures that are {words}."
