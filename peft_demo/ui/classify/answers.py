"""Answers side by side: what up to four models say of one image, and how long each took."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from ...contracts.cards import Prediction, SideBySide
from .. import text
from ..wiring import Part, Updates

MOST = 4
"""Adapters that answer side by side."""
TOP = 5
"""Classes shown of each answer."""
SURE = 0.9
"""Probability from which an answer is called sure."""
DOUBTFUL = 0.6
"""Probability below which the second class is named too."""
LEAST = 0.01
"""Probability below which a class has no bar of its own."""


@dataclass(frozen=True)
class Place:
    """Where one answer is shown."""

    column: gr.Column
    answer: gr.HTML

    def show(self, prediction: Prediction, title: str, timing: str) -> Updates:
        """Updates that show an answer here."""
        return {
            self.column: gr.Column(visible=True),
            self.answer: draw(prediction, title, timing),
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
            parts += [place.column, place.answer]
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
        return Place(column, gr.HTML("", padding=False))


def draw(prediction: Prediction, title: str, timing: str) -> str:
    """HTML: a sentence, how long it took, and a bar behind the name of each likely class."""
    shown = [(name, share) for name, share in prediction.top if share >= LEAST]
    rest = 1 - sum(share for _, share in shown)
    bars = "".join(_bar(name, share) for name, share in shown)
    return (
        f'<div class="answer"><h2>{escape(title)}</h2><p class="sentence">{sentence(prediction)}'
        f"</p><p>{escape(timing)}</p><ul>{bars}</ul>{_others(rest)}</div>"
    )


def sentence(prediction: Prediction) -> str:
    """HTML: "bricks, sure", "probably bricks", or "not sure: bricks or tiles?"."""
    name = f"<b>{escape(prediction.label)}</b>"
    if prediction.probability >= SURE:
        return f"{name}, <em>sure</em>"
    if prediction.probability >= DOUBTFUL or len(prediction.top) < 2:
        return f"probably {name}"
    return f"not sure: {name} or <b>{escape(prediction.top[1][0])}</b>?"


def _bar(name: str, share: float) -> str:
    width = f"{100 * share:.1f}%"
    return (
        f'<li><i style="width:{width}"></i><span>{escape(name)}</span><b>{100 * share:.0f} %</b>'
        "</li>"
    )


def _others(rest: float) -> str:
    """What all other classes have together."""
    return f"<p>all others together {100 * rest:.0f} %</p>" if rest >= LEAST / 2 else ""


def timing(prediction: Prediction) -> str:
    """answered in 3.1 ms · swapped in 0.02 ms"""
    answered = text.milliseconds(prediction.ms)
    swapped = text.milliseconds(prediction.swap_ms)
    return f"answered in {answered} · swapped in {swapped}"


def _ratio(prediction: Prediction, ratio: float) -> str:
    """5.3 ms, 1.02 times the frozen model"""
    return f"{text.milliseconds(prediction.ms)}, {ratio:.2f} times the frozen model"
