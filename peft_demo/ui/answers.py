"""Answers side by side: what up to four models say of one image, and how long each took."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import gradio as gr

from ..contracts.cards import Prediction, SideBySide
from . import text

MOST = 4
TOP = 5


@dataclass(frozen=True)
class Answer:
    column: gr.Column
    label: gr.Label
    timing: gr.Markdown

    def shows(self, said: Prediction, title: str, timing: str) -> dict:
        """Updates that show one answer."""
        bars = gr.Label(dict(said.top), label=title)
        return {self.column: gr.Column(visible=True), self.label: bars, self.timing: timing}

    def hides(self) -> dict:
        return {self.column: gr.Column(visible=False)}


class Answers(tuple):
    """The places for up to `MOST` answers."""

    @property
    def parts(self) -> Iterator:
        return (part for a in self for part in (a.column, a.label, a.timing))

    def show(self, given: Sequence[Prediction]) -> dict:
        """Updates that show these, one adapter each."""
        return self._fill([(said, said.adapter, timing(said)) for said in given])

    def first(self, said: Prediction) -> dict:
        """Updates that show this one where nothing was shown before."""
        return self[0].shows(said, said.adapter, timing(said))

    def show_merged(self, said: SideBySide) -> dict:
        """Updates that show one adapter's answer twice."""
        attached = (
            said.attached,
            f"{said.attached.adapter}, attached",
            _ratio(said.attached, said.attached_ratio),
        )
        merged = (
            said.merged,
            f"{said.merged.adapter}, merged",
            _ratio(said.merged, said.merged_ratio),
        )
        return self._fill([attached, merged])

    def hide(self) -> dict:
        return self._fill([])

    def _fill(self, given: Sequence[tuple[Prediction, str, str]]) -> dict:
        shown = [answer.shows(*each) for answer, each in zip(self, given, strict=False)]
        hidden = [answer.hides() for answer in self[len(given) :]]
        return {part: update for each in (*shown, *hidden) for part, update in each.items()}


def build() -> Answers:
    """Draws the places, empty, into the open row."""
    return Answers(_place(n) for n in range(MOST))


def _place(n: int) -> Answer:
    with gr.Column(min_width=260, visible=False, elem_id=f"answer-{n}") as column:
        label = gr.Label(num_top_classes=TOP, label="Answer", buttons=[])
        return Answer(column, label, gr.Markdown("", elem_classes="quiet"))


def timing(said: Prediction) -> str:
    """answered in 3.1 ms · swapped in 0.02 ms"""
    return (
        f"answered in {text.milliseconds(said.ms)} · swapped in {text.milliseconds(said.swap_ms)}"
    )


def _ratio(said: Prediction, ratio: float) -> str:
    """5.3 ms, 1.02 times the frozen model"""
    return f"{text.milliseconds(said.ms)}, {ratio:.2f} times the frozen model"
