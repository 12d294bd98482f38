"""The adapters nearest to hand, "Textures · AOFT-LoRA 98.8 % (96 to 100)": a press asks it.

A person's own come first, then one of each dataset; the list beside them has all.
"""

from collections.abc import Sequence
from html import escape

import gradio as gr

from ...contracts.accuracy import in_short
from ...contracts.cards import ZooEntry
from ...contracts.service import Training, Zoo
from ..titles import Titles, method_titles
from ..toasts import speaking
from .example import best_first

MOST = 6
PRESSED = """
element.addEventListener("click", (event) => {
  const chip = event.target.closest("[data-id]")
  if (!chip) return
  window.pressedAdapter = chip.dataset.id
  for (const other of element.querySelectorAll("[data-id]"))
    other.setAttribute("aria-pressed", other === chip)
  trigger("select", {index: 0, value: chip.dataset.id})
})
"""
CHOOSE = "() => window.pressedAdapter"
"""Chooses the adapter that was pressed: in the page, since asking the server for it would double
the time until the answer.
"""


def build(shown: str) -> gr.HTML:
    """Draws the row into the open context; its `select` event tells which was pressed."""
    return gr.HTML(shown, js_on_load=PRESSED, padding=False, elem_id="chips")


class Chips:
    """What the row shows."""

    def __init__(self, zoo: Zoo, training: Training):
        self._zoo = zoo
        self._titles = method_titles(training)
        self.show = speaking(self.draw)

    def draw(self, chosen: str | None, compared: Sequence[str] | None = ()) -> str:
        """HTML: the row while these are asked."""
        entries = best_first(self._zoo)
        return draw(nearest(entries, chosen), self._titles, [chosen, *(compared or [])])


def nearest(entries: Sequence[ZooEntry], chosen: str | None) -> list[ZooEntry]:
    """At most `MOST` of these, which come best first: own ones, the best of each dataset, then the
    others; the chosen one is always among them.
    """
    seen = set()
    firsts = []
    for entry in entries:
        dataset = entry.card.dataset if entry.card else ""
        if not entry.shipped or dataset not in seen:
            firsts.append(entry)
        seen.add(dataset)
    ordered = firsts + [entry for entry in entries if entry not in firsts]
    shown = ordered[:MOST]
    if chosen and chosen not in [entry.id for entry in shown]:
        shown[-1:] = [entry for entry in entries if entry.id == chosen] or shown[-1:]
    return shown


def draw(entries: Sequence[ZooEntry], titles: Titles, chosen: Sequence[str | None]) -> str:
    """HTML: a button for each adapter, the `chosen` ones pressed."""
    chips = "".join(_chip(entry, titles, entry.id in chosen) for entry in entries)
    return f'<div class="chips" role="group" aria-label="Adapters">{chips}</div>'


def _chip(entry: ZooEntry, titles: Titles, is_chosen: bool) -> str:
    pressed = "true" if is_chosen else "false"
    words = escape(name_of(entry, titles))
    if entry.card and entry.card.test_accuracy is not None:
        words += f" <span>{in_short(entry.card.test_accuracy, entry.card.test_images)}</span>"
    id = escape(entry.id)
    return (
        f'<button type="button" class="chip" data-id="{id}" title="{id}" aria-pressed="{pressed}">'
        f"{words}</button>"
    )


def name_of(entry: ZooEntry, titles: Titles) -> str:
    """ "Textures · AOFT-LoRA" for one that comes with the project; an own one as it is called."""
    if entry.card is None or not entry.shipped:
        return entry.id
    method = titles.get(entry.card.method, entry.card.method)
    return f"{entry.card.dataset.capitalize()} · {method}"
