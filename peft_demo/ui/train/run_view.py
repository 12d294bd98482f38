"""The right half of Train: the run in progress or any earlier one. `refresh` fills it from the
run's journal.
"""

from dataclasses import dataclass

import gradio as gr

from .. import charts

CLASSIFY = "Classify with this adapter"
EMPTY = (
    "## No run yet\nChoose images in **Data**, a method on the left, and press "
    "**Start training**. The curves appear here while it learns; "
    "on the bundled digits that takes about a minute."
)


@dataclass(frozen=True)
class Curves:
    loss: gr.LinePlot
    accuracy: gr.LinePlot
    key: gr.Markdown
    """Which run is which letter, while several are compared."""
    smooth: gr.Checkbox
    log: gr.Checkbox


@dataclass(frozen=True)
class RunList:
    shown: gr.Dropdown
    compare: gr.Dropdown
    chosen: gr.State
    """An older run that the person has chosen to look at, "" to follow the newest. Only that choice
    and Start write it: the dropdown's own value reaches the server late, with a run's name from
    before Start.
    """


@dataclass(frozen=True)
class RunView:
    headline: gr.Markdown
    sketch: gr.HTML
    """Where the chosen method stands in a block; makes room for the first run."""
    stage: gr.Column
    """All that follows; hidden until there is a run."""
    figures: gr.HTML
    classify: gr.Button
    adapter: gr.State
    """Adapter of the run shown, "" if there is none."""
    go_on: gr.Button
    """Shown for a run that was interrupted."""
    interrupted: gr.State
    """The run that it goes on with, "" where the one shown was not interrupted."""
    curves: Curves
    runs: RunList
    log: gr.Textbox
    command: gr.Code
    seen: gr.State
    """The `Seen` of this page."""
    notices: gr.State
    """(level, words) of notices to be shown as toasts."""


def build(drawing: str) -> RunView:
    """Draws the half into the open context; `drawing` (SVG) stands there until there is a run."""
    headline = gr.Markdown(EMPTY, elem_id="headline")
    sketch = gr.HTML(drawing, elem_id="sketch")
    with gr.Column(visible=False) as stage:
        figures = gr.HTML("", elem_id="progress")
        classify = gr.Button(
            CLASSIFY, variant="primary", size="md", visible=False, elem_id="classify-it"
        )
        go_on = gr.Button("Go on", variant="primary", size="md", visible=False, elem_id="go-on")
        curves = _curves()
        runs = _run_list()
        log = _log()
        command = _command()
    return RunView(
        headline=headline,
        sketch=sketch,
        stage=stage,
        figures=figures,
        classify=classify,
        adapter=gr.State(""),
        go_on=go_on,
        interrupted=gr.State(""),
        curves=curves,
        runs=runs,
        log=log,
        command=command,
        seen=gr.State(None),
        notices=gr.State([]),
    )


def _curves() -> Curves:
    with gr.Row():
        with gr.Column(min_width=300):
            loss = charts.plot("Loss", [charts.TRAIN, charts.VAL], elem_id="loss-plot")
        with gr.Column(min_width=300):
            accuracy = charts.plot(
                "Validation accuracy, %", [charts.VAL], y_lim=[0.0, 100.0], elem_id="accuracy-plot"
            )
    key = gr.Markdown("", elem_classes="quiet", visible=False)
    with gr.Row():
        smooth = gr.Checkbox(False, label="Smooth the training loss", container=False)
        log = gr.Checkbox(False, label="Loss on a logarithmic scale", container=False)
    return Curves(loss, accuracy, key, smooth, log)


def _run_list() -> RunList:
    with gr.Row():
        with gr.Column(scale=3, min_width=260):
            shown = gr.Dropdown([], value=None, label="Run shown", filterable=False, elem_id="run")
        with gr.Column(scale=2, min_width=220):
            compare = gr.Dropdown(
                [],
                value=[],
                multiselect=True,
                max_choices=len(charts.COMPARED) - 1,
                label="Compare with",
                elem_id="compare",
            )
    return RunList(shown, compare, chosen=gr.State(""))


def _log() -> gr.Textbox:
    with gr.Accordion("Log", open=False):
        return gr.Textbox(
            "",
            lines=8,
            max_lines=14,
            show_label=False,
            interactive=False,
            buttons=["copy"],
            elem_id="journal",
        )


def _command() -> gr.Code:
    with gr.Accordion("Reproduce this run", open=False):
        return gr.Code(
            "",
            language="shell",
            interactive=False,
            show_label=False,
            wrap_lines=True,
            buttons=["copy"],
        )
