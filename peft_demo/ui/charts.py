"""Events become data frames for `gr.LinePlot`.

LinePlot lays its colours out when it is drawn first, for the series it finds then. One that comes later (validation,
which begins after training) would never be drawn, and one that goes leaves its colour behind. So every frame opens with
a NaN row for each of `SERIES`, whether it is used or not; `colors_in_legend` hides those that are not.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, log10, nan

import pandas as pd

from ..contracts.events import Evaluated, Event, Started, Stepped

POINTS = 400
"""Most points a series is sent with; a tick stays around ten kilobytes."""
SMOOTHING = 0.9
"""Weight of the past in the smoothed training loss."""

TRAIN = "train"
VAL = "validation"
ACCENT = "#0d9488"
SECOND = "#e08a1e"
COMPARED = {"A": ACCENT, "B": SECOND, "C": "#6366f1", "D": "#db2777"}
"""Letters of the runs in one plot."""
COLOURS = {TRAIN: ACCENT, VAL: SECOND, **COMPARED}
SERIES = tuple(COLOURS)

Points = Sequence[tuple[float, float]]


def steps(events: Iterable[Event]) -> int:
    """How many steps the run is planned to take; 0 before it has started."""
    return next((e.steps for e in events if isinstance(e, Started)), 0)


def training_loss(events: Iterable[Event]) -> Points:
    return [(e.step, e.loss) for e in events if isinstance(e, Stepped)]


def validation_loss(events: Iterable[Event]) -> Points:
    return [(e.step, e.loss) for e in events if isinstance(e, Evaluated)]


def validation_accuracy(events: Iterable[Event]) -> Points:
    """In per cent."""
    return [(e.step, 100 * e.accuracy) for e in events if isinstance(e, Evaluated)]


def smooth(points: Points, weight: float = SMOOTHING) -> Points:
    """Exponential moving average, without the pull towards zero at the beginning."""
    mean = 0.0
    mass = 0.0
    out = []
    for step, value in points:
        mean = weight * mean + (1 - weight) * value
        mass = weight * mass + (1 - weight)
        out.append((step, mean / mass))
    return out


def thin(points: Points, most: int = POINTS) -> Points:
    """At most `most` points, the first and the last among them."""
    if len(points) <= most:
        return points
    stride = (len(points) - 1) / (most - 1)
    return [points[round(i * stride)] for i in range(most)]


def logarithm(points: Points) -> Points:
    """log10 of the values; LinePlot has no logarithmic axis. Zeros are left out."""
    return [(x, log10(y)) for x, y in points if y > 0]


def frame(series: Mapping[str, Points]) -> pd.DataFrame:
    """Rows of (step, value, series), floats, a NaN row for each of `SERIES` first."""
    rows = [(0.0, nan, name) for name in SERIES]
    rows += [
        (float(x), float(y), name)
        for name, points in series.items()
        for x, y in thin(points)
        if isfinite(y)
    ]
    return pd.DataFrame(rows, columns=["step", "value", "series"]).astype(
        {"step": float, "value": float}
    )


def losses(events: Sequence[Event], smoothed: bool = False, log: bool = False) -> dict[str, Points]:
    """Both loss curves of one run."""
    train = training_loss(events)
    val = validation_loss(events)
    return _scaled({TRAIN: smooth(train) if smoothed else train, VAL: val}, log)


def compared_losses(runs: Mapping[str, Sequence[Event]], smoothed: bool = False, log: bool = False):
    """Training loss of several runs, one curve each."""
    return _scaled(
        {n: smooth(p) if smoothed else p for n, e in runs.items() for p in [training_loss(e)]}, log
    )


def accuracies(runs: Mapping[str, Sequence[Event]]) -> dict[str, Points]:
    """Validation accuracy of one or several runs."""
    return {name: validation_accuracy(events) for name, events in runs.items()}


def _scaled(series: dict[str, Points], log: bool) -> dict[str, Points]:
    return {name: logarithm(points) for name, points in series.items()} if log else series
