"""Accuracy against file size of the adapters that are shown: what each byte buys."""

from collections.abc import Iterable, Mapping, Sequence

import gradio as gr

from ...contracts.cards import ZooEntry
from .. import scatter, text
from ..scatter import Point
from ..titles import Titles
from . import shelf

PRESSED = """
const choose = (event) => {
  const point = event.target.closest("[data-id]")
  if (!point || (event.type === "keydown" && event.key !== "Enter")) return
  window.openedAdapter = point.dataset.id
  trigger("select", {index: 0, value: point.dataset.id})
}
element.addEventListener("click", choose)
element.addEventListener("keydown", choose)
"""
"""Script of the drawing: a press on a point, or Enter, chooses its adapter."""

DRAWING = scatter.Drawing(
    title="Test accuracy against file size, one point an adapter",
    caption="Accuracy on test images against the size of the file. Up and to the left is better; "
    "the line joins those that no smaller file beats.",
    words=text.size,
    pressable=True,
)


def build() -> gr.HTML:
    """The empty drawing, drawn into the open context; its `select` event tells an adapter's id."""
    return gr.HTML("", js_on_load=PRESSED, padding=False, elem_id="scatter")


def points(entries: Iterable[ZooEntry], titles: Titles) -> dict[str, list[Point]]:
    """Dataset → its adapters that were measured on test images, that with the most adapters
    first."""
    result: dict[str, list[Point]] = {}
    for entry in entries:
        card = entry.card
        if card is None or card.test_accuracy is None or entry.refusal:
            continue
        name = titles.get(card.method, card.method)
        point = Point(entry.id, name, entry.file_bytes, card.test_accuracy, card.test_images)
        result.setdefault(shelf.dataset_of(entry), []).append(point)
    return dict(sorted(result.items(), key=lambda item: (-len(item[1]), item[0])))


def draw(groups: Mapping[str, Sequence[Point]]) -> str:
    """HTML of the drawing; "" where there is nothing to compare."""
    return scatter.draw(groups, DRAWING)
