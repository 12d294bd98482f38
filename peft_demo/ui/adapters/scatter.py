"""Accuracy against file size of the adapters of one dataset: what each byte buys.

The table under it holds the same figures for those who cannot see it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

import gradio as gr
from gradio.components import Component

from ...contracts.accuracy import in_words
from ...contracts.cards import ZooEntry
from ...contracts.service import Zoo
from .. import text
from ..toasts import speaking
from ..wiring import QUEUED, Updates
from .table import UNKNOWN, data_of

WIDTH = 960
HEIGHT = 250
LEFT = 60
RIGHT = 130
TOP = 16
BOTTOM = 34
"""Pixels of the drawing, and of its margins."""

PRESSED = """
const choose = (event) => {
  const point = event.target.closest("[data-id]")
  if (!point || (event.type === "keydown" && event.key !== "Enter")) return
  trigger("select", {index: 0, value: point.dataset.id})
}
element.addEventListener("click", choose)
element.addEventListener("keydown", choose)
"""
"""Script of the drawing: a press on a point, or Enter, chooses its adapter."""


@dataclass(frozen=True)
class Point:
    id: str
    name: str
    file_bytes: int
    accuracy: float
    """On test images, from 0 to 1."""
    images: int
    """Test images."""


@dataclass(frozen=True)
class Scatter:
    dataset: gr.Radio
    drawing: gr.HTML

    @property
    def parts(self) -> list[Component]:
        """Everything that `show` changes."""
        return [self.dataset, self.drawing]

    def show(self, entries: Sequence[ZooEntry], chosen: str | None) -> Updates:
        """Updates that offer the datasets of these adapters and draw the chosen one, else that with
        the most adapters.
        """
        measured = points(entries)
        names = sorted(measured, key=lambda name: (-len(measured[name]), name))
        choices = [(f"{name} {len(measured[name])}", name) for name in names]
        if chosen not in measured:
            chosen = next(iter(names), None)
        return {
            self.dataset: gr.Radio(choices, value=chosen, visible=bool(names)),
            self.drawing: draw(measured[chosen]) if chosen else "",
        }


def build() -> Scatter:
    """Draws the choice of a dataset and the empty drawing into the open context."""
    dataset = gr.Radio(
        [], show_label=False, label="Dataset", container=False, visible=False, elem_id="sets"
    )
    drawing = gr.HTML("", js_on_load=PRESSED, padding=False, elem_id="scatter")
    return Scatter(dataset, drawing)


def connect(scatter: Scatter, zoo: Zoo) -> None:
    """Connects the choice of a dataset to the drawing."""
    scatter.dataset.input(_draw(zoo), scatter.dataset, scatter.drawing, **QUEUED)


def _draw(zoo: Zoo):
    @speaking
    def draw_dataset(chosen: str) -> str:
        return draw(points(zoo.entries()).get(chosen, ()))

    return draw_dataset


def points(entries: Sequence[ZooEntry]) -> dict[str, list[Point]]:
    """Dataset → its adapters that were measured on test images."""
    result: dict[str, list[Point]] = {}
    for entry in entries:
        card = entry.card
        if card is None or card.test_accuracy is None or entry.refusal:
            continue
        point = Point(entry.id, card.method, entry.file_bytes, card.test_accuracy, card.test_images)
        dataset = str(data_of(card).get("name") or UNKNOWN)
        result.setdefault(dataset, []).append(point)
    return result


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points that no smaller or equally small file beats, by size."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.file_bytes, -point.accuracy)):
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    return best


def draw(points: Sequence[Point]) -> str:
    """SVG: file size on a logarithmic axis, test accuracy, and the line of the best."""
    if not points:
        return ""
    axes = _Axes(points)
    best = frontier(points)
    line = " ".join(f"{axes.x(p.file_bytes):.1f},{axes.y(p.accuracy):.1f}" for p in best)
    parts = [
        *axes.sizes(),
        *axes.accuracies(),
        f'<polyline points="{line}" class="best"/>',
        *(_point(point, axes, point in best) for point in points),
    ]
    title = "Test accuracy against file size, one point an adapter"
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="{title}">'
        f"{''.join(parts)}</svg>"
    )


class _Axes:
    """From figures to pixels."""

    def __init__(self, points: Sequence[Point]):
        sizes = [log10(max(1, point.file_bytes)) for point in points]
        self.first = floor(min(sizes))
        self.last = max(ceil(max(sizes)), self.first + 1)
        lowest = min(point.accuracy for point in points)
        self.low = max(0.0, floor(20 * lowest - 0.5) / 20)

    def x(self, file_bytes: float) -> float:
        share = (log10(max(1, file_bytes)) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, accuracy: float) -> float:
        share = (accuracy - self.low) / (1 - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    def sizes(self) -> list[str]:
        """Ticks of the sizes, one a decade."""
        marks = []
        for power in range(self.first, self.last + 1):
            x = self.x(10**power)
            marks.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            word = text.size(10**power)
            marks.append(f'<text x="{x}" y="{HEIGHT - 12}" text-anchor="middle">{word}</text>')
        return marks

    def accuracies(self) -> list[str]:
        """Ticks of the accuracies: the lowest, the middle and 100 %."""
        marks = []
        for accuracy in (self.low, (self.low + 1) / 2, 1.0):
            y = self.y(accuracy)
            word = f"{100 * accuracy:.3g} %"
            marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            marks.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{word}</text>')
        return marks


def _point(point: Point, axes: _Axes, best: bool) -> str:
    x = axes.x(point.file_bytes)
    y = axes.y(point.accuracy)
    accuracy = in_words(point.accuracy, point.images)
    words = f"{point.id}: {accuracy}; {text.size(point.file_bytes)}"
    look = "point best" if best else "point"
    return (
        f'<g class="{look}" data-id="{escape(point.id)}" tabindex="0" role="button" '
        f'aria-label="{escape(words)}"><title>{escape(words)}</title>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="12" class="reach"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
        f'<text x="{x + 11:.1f}" y="{y + 4:.1f}">{escape(point.name)}</text></g>'
    )
