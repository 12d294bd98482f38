"""The adapters as cards or as a table: HTML, every word from a file escaped.

A press on an adapter tells its id by the event `select`, a tick all that are ticked by `input`, and
a press on the head of a column the order that it asks for by `apply`.
"""

from collections.abc import Collection, Sequence
from html import escape

import gradio as gr

from ...contracts.accuracy import in_words, interval_of
from ...contracts.cards import ZooEntry
from .. import text
from ..titles import Titles
from . import pictures, shelf

CARDS = "Cards"
TABLE = "Table"
NOTHING_FITS = "No adapter fits. Choose All, or take words out of the search."

EVENTS = """
element.addEventListener("click", (event) => {
  const adapter = event.target.closest("[data-open]")
  if (adapter) {
    window.openedAdapter = adapter.dataset.open
    trigger("select", {index: 0, value: adapter.dataset.open})
  }
  const column = event.target.closest("[data-order]")
  if (column) trigger("apply", {order: column.dataset.order})
})
element.addEventListener("change", () => {
  const boxes = [...element.querySelectorAll("[data-tick]:checked")]
  trigger("input", {ticked: boxes.map((box) => box.dataset.tick)})
})
watch("value", () => {
  for (const box of element.querySelectorAll("[data-tick]")) {
    box.checked = box.hasAttribute("checked")
  }
})
"""
"""Gradio draws a new list into the old elements, which would keep their ticks."""
_HEAD = [
    ("Adapter", shelf.NAME),
    ("Method", ""),
    ("Dataset", ""),
    ("Classes", ""),
    ("Right on test images", shelf.ACCURACY),
    ("Size", shelf.SIZE),
    ("Made", shelf.NEWEST),
]
"""(words, the order that a press on them asks for)"""


def build() -> gr.HTML:
    """The empty list, drawn into the open context."""
    return gr.HTML("", js_on_load=EVENTS, padding=False, elem_id="adapters")


def draw(
    view: str, entries: Sequence[ZooEntry], ticked: Collection[str], titles: Titles, order: str
) -> str:
    """The entries in their order."""
    if not entries:
        return f'<p class="nothing">{NOTHING_FITS}</p>'
    if view == TABLE:
        return _table(entries, ticked, titles, order)
    cards = "".join(_card(entry, entry.id in ticked, titles) for entry in entries)
    return f'<ul class="cards">{cards}</ul>'


def _card(entry: ZooEntry, ticked: bool, titles: Titles) -> str:
    look = "adapter refused" if entry.refusal else "adapter"
    dataset = shelf.dataset_of(entry)
    about = " · ".join(_about(entry, titles))
    return (
        f'<li class="{look}">{_box(entry, ticked)}'
        f'<button type="button" data-open="{escape(entry.id)}">'
        f"{pictures.place(entry, dataset)}"
        f'<b class="name">{escape(entry.id)}</b>'
        f'<span class="about">{escape(about)}</span>{_accuracy(entry)}'
        f"{_refusal(entry)}</button></li>"
    )


def _box(entry: ZooEntry, ticked: bool) -> str:
    id = escape(entry.id)
    checked = " checked" if ticked else ""
    return (
        f'<label class="tick"><input type="checkbox" data-tick="{id}" '
        f'aria-label="Choose {id}"{checked}></label>'
    )


def _about(entry: ZooEntry, titles: Titles) -> list[str]:
    size = text.size(entry.file_bytes)
    if entry.card is None:
        return [size]
    method = entry.card.method
    return [titles.get(method, method), shelf.dataset_of(entry), size]


def _accuracy(entry: ZooEntry) -> str:
    card = entry.card
    if card is None:
        return ""
    words = in_words(card.test_accuracy, card.test_images)
    if card.test_accuracy is None or not card.test_images:
        return f'<span class="right">{escape(words)}</span>'
    low, high = interval_of(card.test_accuracy, card.test_images)
    place = f"left:{100 * low:.1f}%;width:{max(100 * (high - low), 1):.1f}%"
    return (
        f'<span class="right">{escape(words)}</span>'
        f'<span class="interval" aria-hidden="true"><i style="{place}"></i></span>'
    )


def _refusal(entry: ZooEntry) -> str:
    if not entry.refusal:
        return ""
    return f'<span class="why">Cannot be used: {escape(text.sentence(entry.refusal))}</span>'


def _table(entries: Sequence[ZooEntry], ticked: Collection[str], titles: Titles, order: str) -> str:
    head = "".join(_column(words, key, key == order) for words, key in _HEAD)
    rows = "".join(_row(entry, entry.id in ticked, titles) for entry in entries)
    return (
        '<div class="figures" tabindex="0" role="region" aria-label="Adapters">'
        f"<table><thead><tr><td></td>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def _column(words: str, order: str, pressed: bool) -> str:
    if not order:
        return f'<th scope="col">{words}</th>'
    sorting = ' aria-sort="other"' if pressed else ""
    button = f'<button type="button" data-order="{order}">{words}</button>'
    return f'<th scope="col"{sorting}>{button}</th>'


def _row(entry: ZooEntry, ticked: bool, titles: Titles) -> str:
    name = escape(entry.id)
    button = f'<button type="button" data-open="{name}">{name}</button>{_refusal(entry)}'
    cells = "".join(f"<td>{escape(cell)}</td>" for cell in _cells(entry, titles))
    return f'<tr><td>{_box(entry, ticked)}</td><th scope="row">{button}</th>{cells}</tr>'


def _cells(entry: ZooEntry, titles: Titles) -> list[str]:
    card = entry.card
    size = text.size(entry.file_bytes)
    if card is None:
        return [shelf.UNKNOWN] * 4 + [size, shelf.UNKNOWN]
    return [
        titles.get(card.method, card.method),
        shelf.dataset_of(entry),
        str(len(card.classes)),
        in_words(card.test_accuracy, card.test_images),
        size,
        card.created[:10] or shelf.UNKNOWN,
    ]
