"""The tab Train: choose a method, see what it costs, train, watch.

The page keeps no run itself. `form` describes a run, `estimate` says what it would cost, `run_view`
shows a run from its journal, and `refresh` keeps that up to date.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import MethodCard
from ...contracts.service import Data, Training, Zoo
from .. import backbones, block_drawing
from ..command import folded_command
from ..data.form import DataForm
from ..header import Header
from ..page import Page
from ..toasts import speaking, toast
from ..wiring import QUEUED, UNQUEUED, WATCHED, Updates
from . import go_on_from, method_list, run_view
from .buttons import Buttons
from .curves import SAVE_CSV
from .estimate import Estimate, estimator
from .form import FormBuilder, MethodChoice, RunForm, describe
from .memory import Memory
from .method_list import Families
from .refresh import Notice, Refresh
from .run_actions import RunActions
from .run_view import RunView

NOT_READ = "The form has not been read."
"""Keeps Start closed until the first estimate: a page that was just opened may still fill its form
from the browser's memory.
"""

TO_PROGRESS = """() => {
  if (innerWidth > 768) return
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
  const top = document.querySelector("#headline")
  top.scrollIntoView({behavior: calm ? "auto" : "smooth", block: "start"})
}"""
"""On a phone progress stands below the form: Start goes there."""


@dataclass(frozen=True)
class TrainTab:
    form: RunForm
    estimate: Estimate
    buttons: Buttons
    view: RunView
    refresh: Refresh
    memory: Memory
    actions: RunActions
    families: Families


def build(
    page: Page,
    tab: gr.Tab,
    header: Header,
    data_form: DataForm,
    training: Training,
    data: Data,
    zoo: Zoo,
) -> TrainTab:
    """Draws the tab into the open context and connects its events."""
    builder = FormBuilder(training.methods())
    with gr.Row():
        with gr.Column(scale=2, min_width=320):
            data_line = gr.Markdown("", elem_classes="quiet")
            backbone_list = backbones.build(tab, zoo)
            builder.draw_open()
            with gr.Column(elem_id="begin"):
                cost_line = gr.Markdown("", elem_id="cost")
                buttons = _buttons()
                reason = gr.Markdown("", visible=False, elem_id="reason", elem_classes="warning")
            with gr.Accordion("Advanced", open=False):
                builder.draw_advanced()
            command = folded_command(elem_id="command")
        with gr.Column(scale=3, min_width=320):
            view = run_view.build(_drawing(builder.first))
    form = builder.form(backbone_list, data_form, zoo)
    estimate = Estimate(data_line, cost_line, command, reason, marked=gr.State(()))
    memory = Memory(page.memory, form, zoo)
    refresh = Refresh(view, buttons, header, page.timer, training)
    actions = RunActions(view, form, page.client, training)
    train_tab = TrainTab(form, estimate, buttons, view, refresh, memory, actions, builder.families)
    _connect_form(tab, train_tab, training, data)
    origin = form.extras.origin
    _connect_own_values(form, builder.families, training)
    opened = [tab.select, page.zoo_changed.change]
    gr.on(opened, go_on_from.lister(zoo), origin, origin, **UNQUEUED)
    _connect_run(page, train_tab)
    return train_tab


def _buttons() -> Buttons:
    with gr.Row():
        start = gr.Button(
            "Start training", variant="primary", interactive=False, min_width=130, elem_id="start"
        )
        stop = gr.Button(
            "Stop and keep it",
            variant="secondary",
            interactive=False,
            min_width=130,
            elem_id="stop",
        )
    return Buttons(start, stop, blocked=gr.State(NOT_READ))


def _drawing(card: MethodCard) -> str:
    """Where a method stands in a block, as SVG."""
    return block_drawing.svg(block_drawing.highlighted(card.sites))


def _connect_form(tab: gr.Tab, train_tab: TrainTab, training: Training, data: Data) -> None:
    form = train_tab.form
    buttons = train_tab.buttons
    memory = train_tab.memory
    choice = form.choice
    columns = [column for method in form.methods.values() for column in method.columns]
    choice.method.change(
        method_chooser(form, train_tab.view.sketch, training),
        [choice.method, choice.shown],
        [choice.summary, choice.shown, train_tab.view.sketch, *columns],
        **UNQUEUED,
    )
    gr.on(
        [tab.select, *(widget.change for widget in _priced(form))],
        estimator(form, train_tab.estimate, buttons, memory, training, data),
        {*form.inputs, train_tab.estimate.marked},
        [
            *train_tab.estimate.parts,
            *form.typed,
            buttons.blocked,
            memory.state,
        ],
        trigger_mode="always_last",
        **UNQUEUED,
    )


def _connect_own_values(form: RunForm, families: Families, training: Training) -> None:
    """Another method, or backbone, brings its own values into the fields."""
    choice = form.choice
    own = form.own
    choice.method.input(speaking(own.show_rates), choice.method, own.shown_rates, **UNQUEUED)
    form.backbone.input(speaking(own.show_size), form.backbone, own.size, **UNQUEUED)
    families.accordion.expand(
        method_list.lister(training),
        [form.backbone, choice.method],
        families.listed,
        **WATCHED,
    )
    families.listed.select(
        method_list.chooser(own, choice.method, families),
        None,
        [choice.method, families.accordion, *own.shown_rates],
        **QUEUED,
    )


def _priced(form: RunForm) -> list:
    """The widgets whose change may change the estimate."""
    data = form.data
    sources = data.sources
    return [
        *form.widgets,
        data.checked,
        data.shots,
        data.seed,
        sources.choice,
        sources.cards.content,
        *(panel.name for panel in sources.panels.values()),
    ]


def method_chooser(form: RunForm, sketch: gr.HTML, training: Training):
    """The handler that shows the knobs of the chosen method in place of those before."""
    choice: MethodChoice = form.choice

    @speaking
    def choose(name: str, before: str) -> Updates:
        card = next(card for card in training.methods() if card.name == name)
        updates: Updates = {
            choice.summary: describe(card),
            choice.shown: name,
            sketch: _drawing(card),
        }
        for method, visible in ((before, False), (name, True)):
            for column in form.methods[method].columns:
                updates[column] = gr.Column(visible=visible)
        return updates

    return choose


def _connect_run(page: Page, train_tab: TrainTab) -> None:
    actions = train_tab.actions
    view = train_tab.view
    runs = view.runs
    refresh = train_tab.refresh
    how = {"fn": refresh.handler, "inputs": refresh.inputs, "outputs": refresh.outputs, **UNQUEUED}
    page.blocks.load(refresh.opened, None, refresh.outputs, **UNQUEUED)
    page.timer.tick(trigger_mode="once", **how)
    train_tab.buttons.blocked.change(trigger_mode="always_last", **how)
    curves = view.curves
    wishes = [runs.words, runs.sort, curves.axis, curves.log]
    gr.on([wish.input for wish in wishes], trigger_mode="always_last", **how)
    for name, fold in view.folds.items():
        turned = [
            fold.expand(_opened(name, True), view.opened, view.opened, **UNQUEUED),
            fold.collapse(_opened(name, False), view.opened, view.opened, **UNQUEUED),
        ]
        for done in turned:
            done.then(**how)
    started = train_tab.buttons.start.click(
        actions.start(), {*train_tab.form.inputs, page.client}, runs.chosen, **QUEUED
    )
    resumed = view.go_on.click(
        actions.resume(), {view.interrupted, page.client}, runs.chosen, **QUEUED
    )
    stopped = train_tab.buttons.stop.click(actions.stop(), page.client, None, **QUEUED)
    lined_up = runs.waiting.select(actions.change_line(), page.client, None, **QUEUED)
    listed = runs.lines.select(actions.change_list(), runs.compare, actions.listed, **QUEUED)
    rename = runs.rename
    renamed = rename.title.submit(
        actions.rename(), [rename.run, rename.title], actions.listed, **QUEUED
    )
    undone = runs.undo.button.click(actions.undo(), runs.undo.deleted, actions.listed, **QUEUED)
    for done in (started, resumed, listed, renamed, undone):
        done.success(**how)
    for begun in (started, resumed):
        begun.success(None, None, None, js=TO_PROGRESS, **QUEUED)
    for done in (stopped, lined_up):
        done.then(**how)
    told = curves.csv.click(refresh.csv, [runs.chosen, runs.compare], curves.csv_text, **QUEUED)
    told.success(None, curves.csv_text, None, js=SAVE_CSV, **QUEUED)
    view.notices.change(_show_toasts, view.notices, None, **QUEUED)
    view.adapter.change(_count_up, page.zoo_changed, page.zoo_changed, **UNQUEUED)


def _opened(name: str, is_open: bool):
    """The handler that notes that a fold is open, or is not."""

    def note(opened: Sequence[str]) -> tuple[str, ...]:
        others = [other for other in opened if other != name]
        return (*others, name) if is_open else tuple(others)

    return note


def _show_toasts(notices: list[Notice]) -> None:
    """On the queue, unlike the refresh that found them: Gradio shows no toasts of a handler outside
    it.
    """
    for level, words in notices:
        toast(level, words)


def _count_up(counter: int) -> int:
    return counter + 1
