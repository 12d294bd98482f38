"""The curves of a run, alone or beside those of others: drawn, as a table, as a picture and as
CSV.
"""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import gradio as gr
from gradio.components import Component

from ...contracts.accuracy import in_short
from ...contracts.events import Evaluated, Event
from ...contracts.spreadsheet import csv_text
from .. import charts, stat_tiles
from ..charts import Axes, Curve, Points
from ..files import save_png, save_text
from ..wiring import QUEUED
from .points import Place, Told, smooth, steps, told

TRAINING = "training"
VALIDATION = "validation"
STEPS = "step"
SECONDS = "seconds"
RATES = "rates"
TABLE = "table"
SECOND = 1
"""The colour of validation, where one run is shown."""
ROWS = 60
"""Evaluations in the table at most."""
HEAD = ("Step", "Seconds", "Training loss", "Validation loss", "Validation accuracy")
CSV_HEAD = (
    "run",
    "step",
    "seconds",
    "training_loss",
    "learning_rate",
    "gradient_norm",
    "validation_loss",
    "validation_accuracy",
    "validation_images",
)
SAVE_PNG = save_png("#loss-plot svg, #accuracy-plot svg", "curves.png")
SAVE_CSV = save_text("text/csv", "curves.csv")


@dataclass(frozen=True)
class Curves:
    loss: gr.HTML
    accuracy: gr.HTML
    rate: gr.HTML
    gradient: gr.HTML
    table: gr.HTML
    folds: Mapping[str, gr.Accordion]
    """`RATES` and `TABLE` → what holds them."""
    axis: gr.Radio
    log: gr.Checkbox
    csv: gr.Button
    csv_text: gr.Textbox
    """What the browser saves; nobody sees it."""

    @property
    def drawn(self) -> Mapping[str, Component]:
        """Name of a drawing, as `draw` uses it → where it stands."""
        return {
            "loss": self.loss,
            "accuracy": self.accuracy,
            "rate": self.rate,
            "gradient": self.gradient,
            "table": self.table,
        }


def build() -> Curves:
    """Draws empty charts into the open context."""
    loss, accuracy = _pair("loss-plot", "accuracy-plot")
    with gr.Row(elem_id="curves-how"):
        axis = gr.Radio(
            [("Steps", STEPS), ("Seconds", SECONDS)],
            value=STEPS,
            label="Lower axis",
            show_label=False,
            container=False,
            min_width=160,
        )
        log = gr.Checkbox(False, label="Logarithmic loss", container=False, min_width=150)
        png = gr.Button("PNG", size="sm", min_width=60, scale=0, elem_id="save-png")
        as_csv = gr.Button("CSV", size="sm", min_width=60, scale=0, elem_id="save-csv")
    with gr.Accordion("Learning rate and gradient", open=False) as rates:
        rate, gradient = _pair("rate-plot", "gradient-plot")
    with gr.Accordion("The figures as a table", open=False) as figures:
        table = gr.HTML("", padding=False, elem_id="curve-table")
    csv_text = gr.Textbox("", visible=False)
    png.click(None, None, None, js=SAVE_PNG, **QUEUED)
    folds = {RATES: rates, TABLE: figures}
    return Curves(loss, accuracy, rate, gradient, table, folds, axis, log, as_csv, csv_text)


def _pair(left: str, right: str) -> list[gr.HTML]:
    with gr.Row():
        columns = []
        for elem_id in (left, right):
            with gr.Column(min_width=260):
                columns.append(gr.HTML("", padding=False, elem_id=elem_id))
    return columns


def draw(
    runs: Mapping[str, Sequence[Event]], axis: str, log: bool, opened: Collection[str] = ()
) -> dict[str, str]:
    """Name of a drawing → its HTML. `runs` are the names of runs and their events, the one that is
    shown first; what is folded away is drawn where it is among the `opened`.
    """
    all_told = {name: told(events) for name, events in runs.items()}
    first = next(iter(all_told.values()))
    loss = _smoothed(all_told, Told.loss, axis) if len(all_told) > 1 else _losses(first, axis)
    end = max(steps(events) for events in runs.values()) if axis == STEPS else 0
    axes = Axes(axis, end)
    accuracies = _accuracies(all_told, axis)
    drawings = {
        "loss": charts.draw("Loss", loss, Axes(axis, end, log=log)),
        "accuracy": charts.draw("Validation accuracy, %", accuracies, Axes(axis, end, 0, 100)),
    }
    if RATES in opened:
        rates = _each(all_told, Told.rate, axis)
        gradients = _smoothed(all_told, Told.gradient, axis)
        drawings["rate"] = charts.draw("Learning rate", rates, axes)
        drawings["gradient"] = charts.draw("Gradient norm", gradients, axes)
    if TABLE in opened:
        drawings["table"] = "".join(_table(name, one) for name, one in all_told.items())
    return drawings


def _losses(one: Told, axis: str) -> list[Curve]:
    """Both losses of one run."""
    place = _place(one, axis)
    raw = one.loss(place)
    return [
        Curve(TRAINING, smooth(raw), faint=raw),
        Curve(VALIDATION, one.validation_loss(place), marked=True, colour=SECOND),
    ]


def _smoothed(
    runs: Mapping[str, Told], points: Callable[[Told, Place], Points], axis: str
) -> list[Curve]:
    """The same figure of each run, what was measured faint under it."""
    curves = _each(runs, points, axis)
    return [replace(curve, points=smooth(curve.points), faint=curve.points) for curve in curves]


def _each(
    runs: Mapping[str, Told], points: Callable[[Told, Place], Points], axis: str
) -> list[Curve]:
    """The same figure of each run."""
    return [Curve(name, points(one, _place(one, axis))) for name, one in runs.items()]


def _accuracies(runs: Mapping[str, Told], axis: str) -> list[Curve]:
    curves = [replace(curve, marked=True) for curve in _each(runs, Told.accuracy, axis)]
    if len(curves) > 1:
        return curves
    return [replace(curve, name=VALIDATION, colour=SECOND) for curve in curves]


def _place(one: Told, axis: str) -> Place:
    return one.second if axis == SECONDS else float


def _table(name: str, one: Told) -> str:
    """HTML: the run's evaluations, with the training loss of their steps."""
    losses = dict(smooth(one.loss(float)))
    evaluations = {event.step: event for event in one.evaluations}
    rows = []
    for step, _ in charts.thin(one.accuracy(lambda step: step), ROWS):
        evaluation = evaluations[int(step)]
        loss = charts.number(losses[step]) if step in losses else "–"
        seconds = f"{one.second(int(step)):.1f}"
        accuracy = in_short(evaluation.accuracy, evaluation.images)
        rows.append((int(step), seconds, loss, charts.number(evaluation.loss), accuracy))
    return stat_tiles.table(HEAD, rows, caption=name)


def as_csv(runs: Mapping[str, Sequence[Event]]) -> str:
    """All figures of the runs, a line a step; empty fields where nothing was measured."""
    rows: list[tuple[object, ...]] = [CSV_HEAD]
    for name, events in runs.items():
        rows += _csv_rows(name, told(events))
    return csv_text(rows)


def _csv_rows(name: str, one: Told) -> Iterator[tuple[object, ...]]:
    stepped = {event.step: event for event in one.steps}
    evaluated = {event.step: event for event in one.evaluations}
    for number in sorted({*stepped, *evaluated}):
        step = stepped.get(number)
        evaluation = evaluated.get(number)
        yield (
            name,
            number,
            round(one.second(number), 3),
            *((step.loss, step.lr, step.grad_norm) if step else (None,) * 3),
            *_validated(evaluation),
        )


def _validated(evaluation: Evaluated | None) -> tuple[object, ...]:
    if evaluation is None:
        return (None,) * 3
    return evaluation.loss, evaluation.accuracy, evaluation.images
