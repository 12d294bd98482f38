"""The right half of Train: the run in progress or any earlier one. `refresh` fills it from the
run's journal.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import gradio as gr

from .. import thumbnails
from ..command import folded_command
from . import curves, pressed, run_list
from .curves import Curves

CLASSIFY = "Classify with this adapter"
LOG = "log"
EMPTY = (
    "## No run yet\nPress **Start training**. The curves appear here while it learns: "
    "a few photos of two things take some ten seconds, the bundled digits about a minute."
)


class Deleted(NamedTuple):
    """A run that was deleted and can come back."""

    key: str
    """What `Training.restore_run` takes."""
    name: str


@dataclass(frozen=True)
class Undo:
    """Offered after a run was deleted."""

    row: gr.Row
    words: gr.Markdown
    button: gr.Button
    deleted: gr.State
    """The `Deleted` that comes back, None if there is none."""


@dataclass(frozen=True)
class Rename:
    """The field with a run's title, shown after Rename was pressed."""

    row: gr.Row
    title: gr.Textbox
    run: gr.State


@dataclass(frozen=True)
class RunList:
    waiting: gr.HTML
    """Those in line."""
    words: gr.Textbox
    """Only runs in which all of them occur are listed."""
    sort: gr.Dropdown
    lines: gr.HTML
    rename: Rename
    undo: Undo
    compare: gr.State
    """Runs whose curves stand beside those of the one shown."""
    chosen: gr.State
    """An older run that the person has chosen to look at, "" to follow the newest."""


@dataclass(frozen=True)
class RunView:
    headline: gr.Markdown
    sketch: gr.HTML
    """Where the chosen method stands in a block; makes room for the first run."""
    stage: gr.Column
    """All that follows; hidden until there is a run."""
    figures: gr.HTML
    """How far the run is."""
    facts: gr.HTML
    """What it measured, once it has ended."""
    held_out: gr.HTML
    """Pictures that it has not learned from, and what it says of them."""
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
    folds: Mapping[str, gr.Accordion]
    """Names of what is folded away, and takes time to draw → what holds it."""
    opened: gr.State
    """Names of those that are open."""
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
        waiting = pressed.build("line")
        held_out = thumbnails.build("run-held-out", visible=False)
        drawn = curves.build()
        facts = gr.HTML("", padding=False, elem_id="facts")
        runs = _run_list(waiting)
        log_fold, log = _log()
        command = folded_command("Reproduce this run")
    return RunView(
        headline=headline,
        sketch=sketch,
        stage=stage,
        figures=figures,
        facts=facts,
        held_out=held_out,
        classify=classify,
        adapter=gr.State(""),
        go_on=go_on,
        interrupted=gr.State(""),
        curves=drawn,
        runs=runs,
        log=log,
        folds={**drawn.folds, LOG: log_fold},
        opened=gr.State(()),
        command=command,
        seen=gr.State(None),
        notices=gr.State([]),
    )


def _run_list(waiting: gr.HTML) -> RunList:
    gr.Markdown("### Runs")
    undo = _undo()
    rename = _rename()
    with gr.Row(elem_id="runs-wanted"):
        words = gr.Textbox(
            "",
            label="Find runs",
            show_label=False,
            container=False,
            placeholder="Find by method, dataset or name",
            scale=3,
            min_width=180,
            elem_id="runs-words",
        )
        orders = [(label, order) for order, label in run_list.SORTS.items()]
        sort = gr.Dropdown(
            orders,
            value=run_list.NEWEST,
            label="Order of the runs",
            show_label=False,
            container=False,
            filterable=False,
            scale=1,
            min_width=150,
            elem_id="runs-order",
        )
    lines = pressed.build("runs")
    return RunList(
        waiting, words, sort, lines, rename, undo, compare=gr.State([]), chosen=gr.State("")
    )


def _rename() -> Rename:
    with gr.Row(visible=False, elem_id="run-rename") as row:
        title = gr.Textbox(
            "",
            label="Title",
            info="in your own words; empty: the adapter's name",
            max_length=80,
            submit_btn="Save",
            elem_id="run-title",
        )
    return Rename(row, title, gr.State(""))


def _undo() -> Undo:
    with gr.Row(visible=False, equal_height=True, elem_id="run-undo") as row:
        words = gr.Markdown("")
        button = gr.Button("Undo", size="sm", min_width=90, scale=0)
    return Undo(row, words, button, gr.State(None))


def _log() -> tuple[gr.Accordion, gr.Textbox]:
    with gr.Accordion("Log", open=False) as fold:
        lines = gr.Textbox(
            "",
            lines=8,
            max_lines=14,
            show_label=False,
            interactive=False,
            buttons=["copy"],
            elem_id="journal",
        )
    return fold, lines
