"""Answers side by side: what up to four models say of one image, and how long each took."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import Prediction, SideBySide
from .. import text
from ..wiring import Part, Updates

MOST = 4
"""Adapters that answer side by side."""
TOP = 5
"""Classes shown of each answer."""


@dataclass(frozen=True)
class Place:
    """Where one answer is shown."""

    column: gr.Column
    label: gr.Label
    timing: gr.Markdown

    def show(self, prediction: Prediction, title: str, timing: str) -> Updates:
        """Updates that show an answer here."""
        return {
            self.column: gr.Column(visible=True),
            self.label: gr.Label(dict(prediction.top), label=title),
            self.timing: timing,
        }

    def hide(self) -> Updates:
        """Updates that hide the place."""
        return {self.column: gr.Column(visible=False)}


@dataclass(frozen=True)
class Answers:
    """The places for up to `MOST` answers."""

    places: tuple[Place, ...]

    @property
    def parts(self) -> list[Part]:
        parts: list[Part] = []
        for place in self.places:
            parts += [place.column, place.label, place.timing]
        return parts

    def show(self, predictions: Sequence[Prediction]) -> Updates:
        """Updates that show these, one adapter each, and nothing else."""
        updates = self.hide()
        for place, prediction in zip(self.places, predictions, strict=False):
            updates |= place.show(prediction, prediction.adapter, timing(prediction))
        return updates

    def show_first(self, prediction: Prediction) -> Updates:
        """Updates that show this one where nothing was shown before."""
        return self.places[0].show(prediction, prediction.adapter, timing(prediction))

    def show_merged(self, both: SideBySide) -> Updates:
        """Updates that show one adapter's answer twice: attached, and merged into the weights."""
        attached = both.attached
        merged = both.merged
        attached_timing = _ratio(attached, both.attached_ratio)
        merged_timing = _ratio(merged, both.merged_ratio)
        return {
            **self.hide(),
            **self.places[0].show(attached, f"{attached.adapter}, attached", attached_timing),
            **self.places[1].show(merged, f"{merged.adapter}, merged", merged_timing),
        }

    def hide(self) -> Updates:
        """Updates that show no answer."""
        updates: Updates = {}
        for place in self.places:
            updates |= place.hide()
        return updates


def build() -> Answers:
    """Draws the places, empty, into the open row."""
    return Answers(tuple(_place(n) for n in range(MOST)))


def _place(n: int) -> Place:
    with gr.Column(min_width=260, visible=False, elem_id=f"answer-{n}") as column:
        label = gr.Label(num_top_classes=TOP, label="Answer", buttons=[])
        return Place(column, label, gr.Markdown("", elem_classes="quiet"))


def timing(prediction: Prediction) -> str:
    """answered in 3.1 ms · swapped in 0.02 ms"""
    answered = text.milliseconds(prediction.ms)
    swapped = text.milliseconds(prediction.swap_ms)
    return f"answered in {answered} · swapped in {swapped}"


def _ratio(prediction: Prediction, ratio: float) -> str:
    """5.3 ms, 1.02 times the frozen model"""
    return f"{text.milliseconds(prediction.ms)}, {ratio:.2f} times the frozen model"
