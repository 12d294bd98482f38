"""The tab Compare: choose methods, datasets, shots and seeds, see what they cost in runs and
minutes, and watch the table fill.

`form` describes a comparison, `view` shows one, `refresh` keeps that up to date, `grid` draws the
table and `drawings` what else there is to see.
"""

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import gradio as gr

from ...contracts.comparison import MOST_WORKERS, ComparisonCost
from ...contracts.errors import PeftDemoError
from ...contracts.service import Comparisons, Data, Training, Zoo
from .. import backbones, text
from ..command import folded_command
from ..data.form import DataForm
from ..page import Page
from ..session import valid_id
from ..titles import method_titles
from ..toasts import speaking
from ..train import pressed
from ..wiring import QUEUED, UNQUEUED, Updates, Values
from . import grid
from .form import CompareForm, FormBuilder, add_group
from .refresh import Refresh
from .view import SAVE_CSV, SAVE_JSON, CompareView
from .view import build as build_view

TO_TABLE = """() => {
  if (innerWidth > 768) return
  document.querySelector("#compare-headline, #compare-chosen").scrollIntoView({block: "start"})
}"""
"""On a phone the table stands below the form: Start goes there."""


@dataclass(frozen=True)
class Beginning:
    """What stands around Start."""

    cost: gr.Markdown
    start: gr.Button
    reason: gr.Markdown
    command: gr.Code


def build(
    page: Page,
    tab: gr.Tab,
    data_form: DataForm,
    comparisons: Comparisons,
    training: Training,
    data: Data,
    zoo: Zoo,
) -> None:
    """Draws the tab into the open context and connects its events."""
    builder = FormBuilder(training.methods(), data.datasets())
    with gr.Row():
        with gr.Column(scale=2, min_width=320, visible=comparisons.starts):
            form, beginning = _draw_form(builder, tab, data_form, zoo)
        with gr.Column(scale=3, min_width=320):
            view = build_view(comparisons.starts)
    refresh = Refresh(view, comparisons, method_titles(training))
    _connect_form(tab, form, beginning, view, comparisons, training)
    _connect_view(page, tab, form, beginning, view, refresh)


def _draw_form(
    builder: FormBuilder, tab: gr.Tab, data_form: DataForm, zoo: Zoo
) -> tuple[CompareForm, Beginning]:
    builder.draw_open()
    with gr.Column(elem_id="compare-begin"):
        cost = gr.Markdown("", elem_id="compare-cost")
        start = gr.Button("Start", variant="primary", interactive=False, elem_id="compare-start")
        reason = gr.Markdown("", visible=False, elem_classes="warning")
    with gr.Accordion("Advanced", open=False):
        backbone = backbones.build(tab, zoo)
        builder.draw_advanced(min(MOST_WORKERS, os.cpu_count() or 1))
    command = folded_command()
    return builder.form(backbone, data_form), Beginning(cost, start, reason, command)


def _connect_form(
    tab: gr.Tab,
    form: CompareForm,
    beginning: Beginning,
    view: CompareView,
    comparisons: Comparisons,
    training: Training,
) -> None:
    # Runs that have ended say how long the next ones take.
    gr.on(
        [tab.select, view.legend.change, *(widget.change for widget in form.widgets)],
        pricer(form, beginning, comparisons),
        form.inputs,
        [beginning.cost, beginning.start, beginning.reason, beginning.command],
        trigger_mode="always_last",
        **UNQUEUED,
    )

    @speaking
    def add(group: str | None, chosen: Sequence[str]) -> tuple[list[str], None]:
        return add_group(training.methods(), group, chosen or ()), None

    form.groups.input(add, [form.groups, form.methods], [form.methods, form.groups], **UNQUEUED)


def pricer(
    form: CompareForm, beginning: Beginning, comparisons: Comparisons
) -> Callable[[Values], Updates]:
    """The handler that says what the comparison would take, or why it cannot be started."""

    @speaking
    def price(values: Values) -> Updates:
        problem = cost = command = ""
        try:
            spec = form.spec(values)
            cost = cost_line(comparisons.cost(spec))
            command = spec.command()
        except PeftDemoError as error:
            problem = text.sentence(str(error))
        return {
            beginning.cost: cost,
            beginning.command: command,
            beginning.start: gr.Button(interactive=not problem),
            beginning.reason: gr.Markdown(text.plain(problem), visible=bool(problem)),
        }

    return price


def cost_line(cost: ComparisonCost) -> str:
    """Markdown: runs and minutes."""
    runs = f"**{text.plural(cost.runs, 'run')}**"
    if cost.seconds is None:
        return f"{runs}. How long they take is known once some have run on this backbone."
    return f"{runs}, about **{text.seconds(cost.seconds)}**, going by runs on this machine."


def _connect_view(
    page: Page,
    tab: gr.Tab,
    form: CompareForm,
    beginning: Beginning,
    view: CompareView,
    refresh: Refresh,
) -> None:
    comparisons = refresh.comparisons
    how = {"fn": refresh.handler, "inputs": view.inputs, "outputs": view.outputs, **UNQUEUED}

    @speaking
    def start(values: Values) -> Updates:
        id = comparisons.start(form.spec(values), owner=valid_id(values[page.client]))
        return {view.chosen: gr.Dropdown([id], value=id), view.place: ""}

    @speaking
    def stop(id: str, client: str) -> None:
        comparisons.stop(id, owner=valid_id(client))

    @speaking
    def go_on(id: str, client: str) -> None:
        comparisons.go_on(id, owner=valid_id(client))

    @speaking
    def press(place: str, event: gr.SelectData) -> str:
        word = pressed.read(event).id
        return "" if word == place else word

    @speaking
    def write_csv(id: str) -> str:
        return grid.as_csv(comparisons.runs(id))

    @speaking
    def write_json(id: str) -> str:
        return json.dumps(comparisons.runs(id), indent=1)

    gr.on([tab.select, view.timer.tick], trigger_mode="once", **how)
    started = beginning.start.click(
        start, {*form.inputs, page.client}, [view.chosen, view.place], **QUEUED
    )
    done = [
        started,
        view.stop.click(stop, [view.chosen, page.client], None, **QUEUED),
        view.go_on.click(go_on, [view.chosen, page.client], None, **QUEUED),
        view.table.select(press, view.place, view.place, **QUEUED),
    ]
    for event in done:
        event.success(**how)
    started.success(None, None, None, js=TO_TABLE, **QUEUED)
    wishes = [view.chosen.input, view.shots.input, view.measure.input]
    gr.on(wishes, trigger_mode="always_last", **how)
    for button, write, save in (
        (view.csv, write_csv, SAVE_CSV),
        (view.json, write_json, SAVE_JSON),
    ):
        written = button.click(write, view.chosen, view.file, **QUEUED)
        written.success(None, view.file, None, js=save, **QUEUED)
