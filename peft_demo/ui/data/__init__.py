"""The tab Data: which images, how many of them, and a report of what they give before anything is
trained.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ...contracts.service import Data
from ..page import Page
from ..toasts import reporter, speaking
from ..wiring import Updates, Values
from . import correct, reading, report, sources
from .correct import Correct
from .form import Checked, DataForm
from .reading import ReadingForm
from .report import ReportView

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""


@dataclass(frozen=True)
class DataTab:
    form: DataForm
    check: gr.Button
    view: ReportView
    correct: Correct


def build(
    page: Page, tab: gr.Tab, data: Data, *, offline: bool, allow_local_paths: bool
) -> DataTab:
    """Draws the tab into the open context and connects its events."""
    chosen = sources.build(page, data, sources.offered(offline, allow_local_paths))
    with gr.Row():
        with gr.Column(scale=3, min_width=240):
            shots = gr.Slider(1, 64, 16, step=1, label="Shots", info="training images per class")
        with gr.Column(scale=2, min_width=160):
            seed = gr.Number(0, label="Seed", precision=0, info="chooses images, weights and order")
        with gr.Column(scale=2, min_width=160):
            check = gr.Button("Check the data", variant="secondary", size="md")
    view = report.build()
    read = reading.build()
    corrections = correct.build(read.fields["corrections"])
    form = DataForm(chosen, shots, seed, read, checked=gr.State(None))
    data_tab = DataTab(form, check, view, corrections)
    _connect(tab, data_tab, Checker(data_tab, data))
    return data_tab


def _connect(tab: gr.Tab, data_tab: DataTab, checker: "Checker") -> None:
    form = data_tab.form
    settings = {
        "inputs": form.inputs,
        "outputs": [
            *data_tab.view.parts,
            *data_tab.correct.parts,
            *form.reading.parts,
            form.checked,
        ],
        "concurrency_id": "data",
        "concurrency_limit": 2,
        "api_visibility": "private",
        "trigger_mode": "always_last",
        "show_progress_on": [data_tab.view.summary],
    }
    data_tab.check.click(checker.check, **settings)
    gr.on(
        [
            form.shots.release,
            form.seed.submit,
            form.seed.blur,
            form.sources.bundled.input,
            form.sources.choice.change,
            form.sources.cards.content.change,
            form.sources.upload_key.change,
        ],
        checker.check_if_cheap,
        **settings,
    )
    gr.on(_changed(form.reading), checker.check, **settings)
    for corrected in correct.connect(data_tab.correct, data_tab.view):
        corrected.success(checker.check, **settings)
    form.reading.other.input(checker.check_picked, **settings)
    tab.select(checker.check_at_first, **settings)


def _changed(reading_form: ReadingForm) -> list[Any]:
    """The events by which a person changes a field of the reading."""
    events = []
    for field in reading_form.fields.values():
        events.append(field.submit if isinstance(field, gr.Textbox) else field.input)
    return events


class Checker:
    """Looks at the dataset that the form describes."""

    def __init__(self, data_tab: DataTab, data: Data):
        self._form = data_tab.form
        self._view = data_tab.view
        self._correct = data_tab.correct
        self._data = data
        self.check = speaking(self._check)
        self.check_picked = speaking(self._check_picked)
        self.check_if_cheap = speaking(self._check_if_cheap)
        self.check_at_first = speaking(self._check_at_first)

    def _check(self, values: Values, progress: gr.Progress = PROGRESS) -> Updates:
        spec = self._form.spec(values)
        result = self._data.check(spec, reporter(progress))
        images = sum(count.train for count in result.counts)
        checked = Checked(spec.source, spec.name, len(result.counts), images, result.problem)
        return {
            **self._view.show(result, spec.shots),
            **self._correct.show(result, spec.corrections),
            **self._form.reading.show(result, spec),
            self._form.checked: checked,
        }

    def _check_picked(self, values: Values, progress: gr.Progress = PROGRESS) -> Updates:
        """The check with the alternative that was picked."""
        return self._check(self._form.reading.picked(values), progress)

    def _check_if_cheap(self, values: Values, progress: gr.Progress = PROGRESS) -> Updates:
        """The check where it takes no time and there is something to look at,
        else an empty report.
        """
        if self._form.cheap(values):
            return self._check(values, progress)
        return {
            **self._view.clear(),
            **self._correct.hide(),
            **self._form.reading.hide(),
            self._form.checked: None,
        }

    def _check_at_first(self, values: Values, progress: gr.Progress = PROGRESS) -> Updates:
        """The check when the tab is opened for the first time: a page that
        loads has enough to do.
        """
        if values[self._form.checked]:
            return {self._view.summary: gr.skip()}
        return self._check_if_cheap(values, progress)
