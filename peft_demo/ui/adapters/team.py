"""Together: what several adapters of the same classes gain when they answer as one."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import NamedTuple

import gradio as gr

from ...contracts.accuracy import in_short, interval_of
from ...contracts.service import Answers
from ...contracts.together import Combined, Together
from .. import text
from ..toasts import reporter, speaking
from ..wiring import QUEUED, UNQUEUED, Part, Updates
from .selection import Selection

PROGRESS = gr.Progress()
"""As a default value it makes Gradio hand each call its own."""
WAIT = "### Asking each of them …"
TO_RESULT = """() => setTimeout(() => {
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches
  const team = document.querySelector("#team")
  if (team) team.scrollIntoView({behavior: calm ? "auto" : "smooth", block: "center"})
}, 100)"""
"""The result stands below the list, where nobody looks."""


@dataclass(frozen=True)
class Team:
    results: gr.Column
    sentence: gr.Markdown
    drawing: gr.HTML

    @property
    def outputs(self) -> list[Part]:
        return [self.results, self.sentence, self.drawing]

    def show(self, result: Together) -> Updates:
        """Updates that show how often each is right, alone and together."""
        return {
            self.results: gr.Column(visible=True),
            self.sentence: sentence(result),
            self.drawing: draw(result),
        }

    def wait(self) -> Updates:
        """Updates that say that it is being measured."""
        return {self.results: gr.Column(visible=True), self.sentence: WAIT, self.drawing: ""}

    def hide(self) -> Updates:
        """Updates that show nothing."""
        return {self.results: gr.Column(visible=False)}


def build() -> Team:
    """Draws this part, hidden, into the open context."""
    with gr.Column(visible=False, elem_id="team") as results:
        words = gr.Markdown("")
        drawing = gr.HTML("", padding=False)
    return Team(results, words, drawing)


def connect(part: Team, chosen: Selection, answers: Answers) -> None:
    """Connects the events; other ticks take the result away."""
    pressed = chosen.together.click(speaking(part.wait), None, part.outputs, **UNQUEUED)
    pressed.then(None, None, None, js=TO_RESULT, **QUEUED)
    measured = pressed.then(
        measurer(part, answers),
        chosen.ticked,
        part.outputs,
        api_visibility="private",
        show_progress_on=[part.sentence],
        concurrency_id="evaluate",
        concurrency_limit=1,
    )
    measured.failure(speaking(part.hide), None, part.outputs, **UNQUEUED)
    chosen.ticked.change(speaking(part.hide), None, part.outputs, **UNQUEUED)


def measurer(part: Team, answers: Answers):
    """The handler that asks the ticked adapters together."""

    @speaking
    def measure(ids: Sequence[str], progress: gr.Progress = PROGRESS) -> Updates:
        return part.show(answers.together(ids, report=reporter(progress)))

    return measure


def sentence(result: Together) -> str:
    """Markdown: what it gains, in a sentence a way."""
    images = f"{text.plural(result.images, 'image')} that none of them has learned from"
    lines = [f"### Together, on {images}"]
    lines += [_gain(way, result.best) for way in result.combined]
    if result.no_weights:
        lines.append(f"Weights were not averaged: {text.plain(result.no_weights)}")
    if result.left_out:
        lines.append(f"{text.plural(result.left_out, 'image')} left out, seen in training.")
    return "\n\n".join(lines)


def _gain(way: Combined, best: str) -> str:
    """Answers averaged: +1.4 points beside lora alone, -1.2 to 4.0, which may be chance."""
    points = 100 * way.gain.difference
    low, high = (100 * bound for bound in way.gain.interval)
    chance = "" if way.gain.is_distinguishable else ", which may be chance"
    return (
        f"**{text.sentence(way.how)[:-1]}**: {points:+.1f} points beside {text.plain(best)} alone, "
        f"{low:.1f} to {high:.1f}{chance}."
    )


def draw(result: Together) -> str:
    """HTML: a line for each, alone and together, and where its accuracy lies."""
    everyone = [
        *(("alone", who, accuracy) for who, accuracy in result.alone),
        *(("team", way.how, way.accuracy) for way in result.combined),
    ]
    lowest = min(_interval(accuracy, result.images)[0] for _, _, accuracy in everyone)
    scale = Scale(10 * int(lowest // 10))
    rows = [_row(look, who, accuracy, result.images, scale) for look, who, accuracy in everyone]
    axis = f"{scale.start} to 100 %"
    head = f"<tr><th>Who answers</th><th>{axis}</th><th>Right</th></tr>"
    return f'<table class="forest">{head}{"".join(rows)}</table>'


class Scale(NamedTuple):
    """The part of an axis in percent that is drawn: from `start` to 100."""

    start: int

    def place(self, percent: float) -> float:
        """How far along it is, in percent of its length."""
        return 100 * (percent - self.start) / (100 - self.start)


def _row(look: str, who: str, accuracy: float, images: int, scale: Scale) -> str:
    low, high = map(scale.place, _interval(accuracy, images))
    line = f'<i style="left:{low:.1f}%;width:{high - low:.1f}%"></i>'
    dot = f'<b style="left:{scale.place(100 * accuracy):.1f}%"></b>'
    words = escape(in_short(accuracy, images))
    return (
        f'<tr class="{look}"><th scope="row">{escape(who)}</th>'
        f'<td aria-hidden="true"><span>{line}{dot}</span></td><td>{words}</td></tr>'
    )


def _interval(accuracy: float, images: int) -> tuple[float, float]:
    """In percent."""
    low, high = interval_of(accuracy, images)
    return 100 * low, 100 * high
