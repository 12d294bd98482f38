"""Curves: events become data frames for `gr.LinePlot`.

LinePlot assigns its colours when it is drawn first, to the series it finds then. A series that
comes later (validation, which begins after training) would never be drawn, and one that goes leaves
its colour behind. So every frame opens with a NaN row for each of `SERIES`, used or not;
`colors_in_legend` hides those that are not.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import isfinite, log10, nan
from typing import Any

import gradio as gr
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
    """(step, loss) of every step; one that a resumed run took twice stands there once."""
    return list({e.step: e.loss for e in events if isinstance(e, Stepped)}.items())


def validation_loss(events: Iterable[Event]) -> Points:
    """(step, loss) of every evaluation."""
    return list({e.step: e.loss for e in events if isinstance(e, Evaluated)}.items())


def validation_accuracy(events: Iterable[Event]) -> Points:
    """(step, accuracy in per cent) of every evaluation."""
    return list({e.step: 100 * e.accuracy for e in events if isinstance(e, Evaluated)}.items())


def smooth(points: Points, weight: float = SMOOTHING) -> Points:
    """Exponential moving average, without the pull towards zero at the beginning."""
    mean = 0.0
    mass = 0.0
    smoothed = []
    for step, value in points:
        mean = weight * mean + (1 - weight) * value
        mass = weight * mass + (1 - weight)
        smoothed.append((step, mean / mass))
    return smoothed


def thin(points: Points, most: int = POINTS) -> Points:
    """At most `most` points, the first and the last among them."""
    if len(points) <= most:
        return points
    stride = (len(points) - 1) / (most - 1)
    return [points[round(i * stride)] for i in range(most)]


def logarithm(points: Points) -> Points:
    """log10 of the values; LinePlot has no logarithmic axis. Zeros are left out."""
    return [(step, log10(value)) for step, value in points if value > 0]


def plot(title: str, legend: Sequence[str], height: int = 260, **settings: Any) -> gr.LinePlot:
    """An empty plot of curves over steps, drawn into the open context; only `legend` is named in
    it.
    """
    return gr.LinePlot(
        x="step",
        y="value",
        color="series",
        title=title,
        x_title="step",
        y_title=" ",
        color_title="",
        height=height,
        color_map=COLOURS,
        colors_in_legend=list(legend),
        show_label=False,
        buttons=[],
        **settings,
    )


def frame(series: Mapping[str, Points]) -> pd.DataFrame:
    """Rows of (step, value, series), floats, a NaN row for each of `SERIES` first."""
    rows = [(0.0, nan, name) for name in SERIES]
    for name, points in series.items():
        rows += [(float(step), float(value), name) for step, value in _finite(thin(points))]
    table = pd.DataFrame(rows, columns=["step", "value", "series"])
    return table.astype({"step": float, "value": float})


def losses(events: Sequence[Event], smoothed: bool = False, log: bool = False) -> dict[str, Points]:
    """Both loss curves of one run."""
    curves = {TRAIN: training_loss(events), VAL: validation_loss(events)}
    if smoothed:
        curves[TRAIN] = smooth(curves[TRAIN])
    return _scaled(curves, log)


def compared_losses(
    runs: Mapping[str, Sequence[Event]], smoothed: bool = False, log: bool = False
) -> dict[str, Points]:
    """Training loss of several runs, one curve each."""
    curves = {name: training_loss(events) for name, events in runs.items()}
    if smoothed:
        curves = {name: smooth(points) for name, points in curves.items()}
    return _scaled(curves, log)


def accuracies(runs: Mapping[str, Sequence[Event]]) -> dict[str, Points]:
    """Validation accuracy of one or several runs."""
    return {name: validation_accuracy(events) for name, events in runs.items()}


def _scaled(series: dict[str, Points], log: bool) -> dict[str, Points]:
    if not log:
        return series
    return {name: logarithm(points) for name, points in series.items()}


def _finite(points: Points) -> Points:
    return [(step, value) for step, value in points if isfinite(value)]
