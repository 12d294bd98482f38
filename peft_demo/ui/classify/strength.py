"""More or less of an adapter: a slider that answers as it moves, and the accuracy all the way."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ...contracts.errors import BadValue
from ...contracts.service import Answers
from ...contracts.strength import MOST, AtStrength, best
from .. import charts, stat_tiles
from ..charts import Axes, Curve
from ..toasts import reporter, speaking
from ..wiring import BESIDE, ON_DEVICE
from .answers import TOP, draw, timing
from .tab import Question, nothing_to_ask

PROGRESS = gr.Progress()
ABOUT = "How much of what the adapter adds: 0 leaves the frozen backbone under its head, 1 is all."
HEAD = ("Strength", "Right")
CAPTION = "On the validation images of its run"


@dataclass(frozen=True)
class Strength:
    slider: gr.Slider
    answer: gr.HTML
    measure: gr.Button
    curve: gr.HTML


def build() -> Strength:
    """Draws the fold, closed, into the open context."""
    with gr.Accordion("Strength", open=False, elem_id="strength"):
        slider = gr.Slider(0, MOST, value=1, step=0.05, label="Strength", info=ABOUT)
        answer = gr.HTML("", padding=False, elem_id="strength-answer")
        measure = gr.Button("Accuracy at each strength", size="sm", elem_id="strength-measure")
        curve = gr.HTML("", visible=False, padding=False, elem_id="strength-curve")
    return Strength(slider, answer, measure, curve)


def connect(strength: Strength, question: Question, answers: Answers) -> None:
    """Connects the slider to its answer, and the button to the curve."""
    strength.slider.input(
        _answer(answers),
        [strength.slider, question.image, question.adapter],
        strength.answer,
        trigger_mode="always_last",
        **{**ON_DEVICE, "show_progress": "hidden"},
    )
    strength.measure.click(
        _measure(answers),
        question.adapter,
        strength.curve,
        **{**BESIDE, "show_progress": "full"},
    )


def _answer(answers: Answers):
    @speaking
    def answer(strength: float, image: str | None, adapter: str | None) -> str:
        if not image or not adapter:
            raise nothing_to_ask()
        if not 0 <= strength <= MOST:
            raise BadValue(f"a strength is from 0 to {MOST:g}, got {strength:g}.")
        (prediction,) = answers.classify(Path(image), [adapter], TOP, strength)
        return draw(prediction, f"{adapter} at {strength:.2f}", timing(prediction))

    return answer


def _measure(answers: Answers):
    @speaking
    def measure(adapter: str | None, progress: gr.Progress = PROGRESS) -> gr.HTML:
        if not adapter:
            raise BadValue("an adapter is needed.")
        curve = answers.strengths(adapter, reporter(progress))
        return gr.HTML(draw_curve(adapter, curve), visible=True)

    return measure


def draw_curve(adapter: str, curve: Sequence[AtStrength]) -> str:
    """HTML: what was best in words, the accuracy over strength, and its table."""
    points = [(point.strength, 100 * point.accuracy) for point in curve]
    lowest = min(y for _, y in points)
    axes = Axes(x_title="strength", low=min(lowest, 90), high=100)
    drawing = charts.draw("Right, %", [Curve(adapter, points, marked=True)], axes)
    rows = [(f"{point.strength:g}", point.words) for point in curve]
    return f"<p>{_words(curve)}</p>{drawing}{stat_tiles.table(HEAD, rows, CAPTION)}"


def _words(curve: Sequence[AtStrength]) -> str:
    top = best(curve)
    if top.strength == 1:
        return "No other strength is more often right on its validation images."
    return f"Most often right on its validation images at {top.strength:g}: {top.words}."
