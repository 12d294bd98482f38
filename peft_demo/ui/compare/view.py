"""The right half of Compare: a comparison in progress or an earlier one."""

from dataclasses import dataclass

import gradio as gr
from gradio.components import Component

from ..command import folded_command
from ..files import save_png, save_text
from ..train import pressed
from ..wiring import QUEUED, Part
from .drawings import MEASURES, TRAINED

SECONDS = 2.0
"""Between two looks at a comparison that goes on."""
EMPTY = (
    "## No comparison yet\nChoose methods and press **Start**. The table fills while the runs go "
    "on; a restart of the app loses no run that has ended."
)
NOTHING_HERE = (
    "## No comparison here\nFinished tables are shown here. On a machine of your own comparisons "
    "are started on this page, or with `python -m peft_demo compare`."
)


@dataclass(frozen=True)
class CompareView:
    headline: gr.Markdown
    chosen: gr.Dropdown
    stage: gr.Column
    """All that follows; hidden until there is a comparison."""
    progress: gr.HTML
    go_on: gr.Button
    stop: gr.Button
    shots: gr.Radio
    table: gr.HTML
    legend: gr.Markdown
    measure: gr.Radio
    scatter: gr.HTML
    cell: gr.HTML
    """What a pressed cell shows."""
    place: gr.State
    """The word of the pressed cell, "" for none."""
    command: gr.Code
    csv: gr.Button
    json: gr.Button
    file: gr.Textbox
    """What the browser saves; nobody sees it."""
    timer: gr.Timer
    seen: gr.State
    """Part → what this page shows already."""

    @property
    def inputs(self) -> list[Component]:
        return [self.chosen, self.shots, self.measure, self.place, self.seen]

    @property
    def outputs(self) -> list[Part]:
        return [
            self.headline,
            self.chosen,
            self.stage,
            self.progress,
            self.go_on,
            self.stop,
            self.shots,
            self.table,
            self.legend,
            self.scatter,
            self.cell,
            self.command,
            self.timer,
            self.seen,
        ]


def build(starts: bool) -> CompareView:
    """Draws the half into the open context."""
    headline = gr.Markdown(EMPTY if starts else NOTHING_HERE, elem_id="compare-headline")
    with gr.Column(visible=False) as stage:
        chosen = gr.Dropdown([], label="Comparison", elem_id="compare-chosen")
        progress = gr.HTML("", padding=False, elem_id="compare-progress")
        go_on = gr.Button(
            "Go on", variant="primary", size="md", visible=False, elem_id="compare-go-on"
        )
        stop = gr.Button(
            "Stop, keep what has ended", size="md", visible=False, elem_id="compare-stop"
        )
        shots = gr.Radio([], label="Shots", visible=False, elem_id="compare-at")
        table = pressed.build("compare-table")
        legend = gr.Markdown("", elem_classes="quiet")
        cell = gr.HTML("", padding=False, elem_id="compare-cell")
        with gr.Row(elem_id="compare-how"):
            measure = gr.Radio(
                list(MEASURES.items()),
                value=TRAINED,
                label="Lower axis",
                show_label=False,
                container=False,
                min_width=260,
            )
            png = gr.Button("PNG", size="sm", min_width=60, scale=0)
            csv = gr.Button("CSV", size="sm", min_width=60, scale=0, elem_id="compare-csv")
            json = gr.Button("JSON", size="sm", min_width=60, scale=0)
        scatter = gr.HTML("", padding=False, elem_id="compare-scatter")
        command = folded_command(elem_id="compare-command")
    png.click(None, None, None, js=save_png("#compare-scatter svg", "comparison.png"), **QUEUED)
    return CompareView(
        headline=headline,
        chosen=chosen,
        stage=stage,
        progress=progress,
        go_on=go_on,
        stop=stop,
        shots=shots,
        table=table,
        legend=legend,
        measure=measure,
        scatter=scatter,
        cell=cell,
        place=gr.State(""),
        command=command,
        csv=csv,
        json=json,
        file=gr.Textbox("", visible=False),
        timer=gr.Timer(SECONDS, active=False),
        seen=gr.State({}),
    )


SAVE_CSV = save_text("text/csv", "comparison.csv")
SAVE_JSON = save_text("application/json", "comparison.json")
