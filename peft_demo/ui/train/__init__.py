"""The tab Train: choose a method, see what it costs, train, watch.

The page keeps no run itself. `form` describes a run, `estimate` says what it would cost, `run_view`
shows a run from its journal, and `refresh` keeps that up to date.
"""

from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import MethodCard
from ...contracts.run_state import RunState
from ...contracts.service import Data, Training, Zoo
from .. import block_drawing
from ..data.form import DataForm
from ..header import Header
from ..page import Page
from ..session import valid_id
from ..toasts import speaking, toast
from ..wiring import QUEUED, UNQUEUED, Updates, Values
from . import backbone, go_on_from, run_text, run_view
from .buttons import Buttons, start_button
from .estimate import Estimate, estimator
from .form import FormBuilder, MethodChoice, RunForm, describe
from .memory import Memory
from .refresh import Notice, Refresh
from .run_view import RunView

NOT_READ = "The form has not been read."
"""Keeps Start closed until the first estimate: a page that was just opened may still fill its form
from the browser's memory.
"""


@dataclass(frozen=True)
class TrainTab:
    form: RunForm
    estimate: Estimate
    buttons: Buttons
    view: RunView
    refresh: Refresh
    memory: Memory


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
            backbone_list = backbone.build(tab, zoo)
            builder.draw_open()
            cost_line = gr.Markdown("", elem_id="cost")
            buttons = _buttons()
            reason = gr.Markdown("", visible=False, elem_id="reason", elem_classes="warning")
            with gr.Accordion("Advanced", open=False):
                builder.draw_advanced()
            command = _command()
        with gr.Column(scale=3, min_width=320):
            view = run_view.build(_drawing(builder.first))
    form = builder.form(backbone_list, data_form)
    estimate = Estimate(data_line, cost_line, command, reason, marked=gr.State(()))
    memory = Memory(page.memory, form, zoo)
    refresh = Refresh(view, buttons, header, page.timer, training)
    train_tab = TrainTab(form, estimate, buttons, view, refresh, memory)
    _connect_form(tab, train_tab, training, data)
    origin = form.extras.origin
    opened = [tab.select, page.zoo_changed.change]
    gr.on(opened, go_on_from.lister(zoo), origin, origin, **UNQUEUED)
    _connect_run(page, train_tab, training)
    return train_tab


def _buttons() -> Buttons:
    with gr.Row():
        start = gr.Button("Start training", variant="primary", interactive=False, elem_id="start")
        stop = gr.Button(
            "Stop, keep the best", variant="secondary", interactive=False, elem_id="stop"
        )
    return Buttons(start, stop, blocked=gr.State(NOT_READ))


def _command() -> gr.Code:
    with gr.Accordion("The same from the command line", open=False):
        return gr.Code(
            "",
            language="shell",
            interactive=False,
            show_label=False,
            wrap_lines=True,
            buttons=["copy"],
        )


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
            buttons.start,
            buttons.blocked,
            memory.state,
        ],
        trigger_mode="always_last",
        **UNQUEUED,
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


def _connect_run(page: Page, train_tab: TrainTab, training: Training) -> None:
    view = train_tab.view
    refresh = train_tab.refresh
    how = {"fn": refresh.handler, "inputs": refresh.inputs, "outputs": refresh.outputs, **UNQUEUED}
    gr.on([page.blocks.load, page.timer.tick], trigger_mode="once", **how)
    choices = [view.runs.compare, view.curves.smooth, view.curves.log]
    gr.on([choice.input for choice in choices], trigger_mode="always_last", **how)
    view.runs.shown.input(
        refresh.choose,
        [view.runs.shown, *refresh.inputs[1:]],
        refresh.outputs,
        trigger_mode="always_last",
        **UNQUEUED,
    )
    started = train_tab.buttons.start.click(
        starter(train_tab, page.client, training),
        {*train_tab.form.inputs, page.client},
        [view.runs.shown, view.runs.chosen, view.headline, train_tab.buttons.start],
        **QUEUED,
    )
    started.success(**how)
    resumed = view.go_on.click(
        resumer(train_tab, page.client, training),
        {view.interrupted, page.client},
        [view.runs.shown, view.runs.chosen, view.headline, train_tab.buttons.start],
        **QUEUED,
    )
    resumed.success(**how)
    stopped = train_tab.buttons.stop.click(_stopper(training), page.client, None, **QUEUED)
    stopped.then(**how)
    view.notices.change(_show_toasts, view.notices, None, **QUEUED)
    view.adapter.change(_count_up, page.zoo_changed, page.zoo_changed, **UNQUEUED)


def starter(train_tab: TrainTab, client: gr.BrowserState, training: Training):
    """The handler of Start: it takes the page to the new run in one answer, so that nothing of the
    run before stands beside the new one's name.
    """

    @speaking
    def start(values: Values) -> Updates:
        run = training.start(train_tab.form.spec(values), owner=valid_id(values[client]))
        return _show_begun(train_tab, run, training)

    return start


def resumer(train_tab: TrainTab, client: gr.BrowserState, training: Training):
    """The handler of Go on: the interrupted run that is shown goes on."""

    @speaking
    def resume(values: Values) -> Updates:
        interrupted = values[train_tab.view.interrupted]
        run = training.resume(interrupted, owner=valid_id(values[client]))
        return _show_begun(train_tab, run, training)

    return resume


def _show_begun(train_tab: TrainTab, run: str, training: Training) -> Updates:
    """Updates that show a run that has just begun."""
    view = train_tab.view
    return {
        view.runs.shown: gr.Dropdown(run_text.choices(training.runs()), value=run),
        view.runs.chosen: "",
        view.headline: f"## {run_text.HEADLINES[RunState.QUEUED]}",
        train_tab.buttons.start: start_button(busy=True),
    }


def _stopper(training: Training):
    @speaking
    def stop(client: str) -> None:
        status = training.status()
        if status.busy:
            training.stop(status.run, owner=valid_id(client))

    return stop


def _show_toasts(notices: list[Notice]) -> None:
    """On the queue, unlike the refresh that found them: Gradio shows no toasts of a handler outside
    it.
    """
    for level, words in notices:
        toast(level, words)


def _count_up(counter: int) -> int:
    return counter + 1
