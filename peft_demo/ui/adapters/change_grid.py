"""What an adapter changed as a table: a row for each block, a column for each kind of place, a
button in every cell; what stands outside the blocks has a table of its own.
"""

from collections.abc import Sequence
from html import escape

import gradio as gr

from ...contracts.changes import Change, Changes, WeightChange, kind_rank
from .. import text

SIZE = "size"
TRAINED = "trained"
CHOICES = [("Size of the change", SIZE), ("Trained numbers", TRAINED)]
"""What the colours and the figures say."""
DARKEST = 40
"""Per cent of the colour in the cell with the most: words on it stay readable."""
FAINTEST = 4
WORDS = {
    SIZE: "‖ΔW‖ as a share of ‖W‖, and below it the effective rank of ΔW",
    TRAINED: "numbers trained there, and below them the share of W's numbers that changed",
}
OUTSIDE = "Outside the blocks."

_PRESSED = """
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-place]")
  if (!chosen) return
  for (const other of element.querySelectorAll("[aria-pressed]")) {
    other.setAttribute("aria-pressed", String(other === chosen))
  }
  trigger("select", {index: 0, value: chosen.dataset.place})
})
"""
"""Script of the table: a press on a cell tells its number."""


def build() -> gr.HTML:
    """The empty table, drawn into the open context; its `select` event tells which cell."""
    return gr.HTML("", js_on_load=_PRESSED, padding=False, elem_id="change-grid")


def draw(result: Changes, by: str, chosen: int) -> str:
    """HTML: the tables, coloured by size or by trained numbers; `chosen` is the pressed cell."""
    grid = _Grid(result, by, chosen)
    return f'<div class="changes">{grid.blocks()}{grid.outside()}</div>'


def first(result: Changes) -> str:
    """What the table shows at first: sizes, or numbers where no weight changed."""
    return SIZE if any(change.size for change in result.changes) else TRAINED


def number(result: Changes, value: object) -> int | None:
    """Number of the place that a press told, None if there is no such place: a browser may send
    anything.
    """
    words = str(value)[:20]
    if not words.isdecimal():
        return None
    return int(words) if int(words) < len(result.changes) else None


def name(change: Change) -> str:
    """Where it is, in words: q in block 11."""
    return change.place if change.layer < 0 else f"{change.kind} in block {change.layer}"


class _Grid:
    """The cells of one adapter, all coloured on one scale."""

    def __init__(self, result: Changes, by: str, chosen: int):
        self.by = by
        self.chosen = chosen
        self.numbered = list(enumerate(result.changes))
        self.most = max((self._value(change) for change in result.changes), default=0.0)

    def blocks(self) -> str:
        inside = {(c.layer, c.kind): (n, c) for n, c in self.numbered if c.layer >= 0}
        if not inside:
            return ""
        kinds = sorted({kind for _, kind in inside}, key=lambda kind: (kind_rank(kind), kind))
        layers = sorted({layer for layer, _ in inside})
        rows = [
            _label(layer) + "".join(self._cell(inside.get((layer, kind))) for kind in kinds)
            for layer in layers
        ]
        return _table(f"Each block: {WORDS[self.by]}. Press a cell.", ["block", *kinds], rows)

    def outside(self) -> str:
        found = [(n, change) for n, change in self.numbered if change.layer < 0]
        if not found:
            return ""
        names = [change.place for _, change in found]
        return _table(OUTSIDE, names, ["".join(map(self._cell, found))])

    def _cell(self, entry: tuple[int, Change] | None) -> str:
        if entry is None:
            return "<td>–</td>"
        n, change = entry
        figure, note = _figures(change, self.by)
        words = escape(f"{name(change)}: {figure} {note}".strip())
        pressed = "true" if n == self.chosen else "false"
        small = f"<small>{escape(note)}</small>" if note else ""
        return (
            f'<td style="--share:{self._shade(change)}%"><button type="button" data-place="{n}" '
            f'aria-pressed="{pressed}" aria-label="{words}">{escape(figure)}{small}</button></td>'
        )

    def _value(self, change: Change) -> float:
        return change.size if self.by == SIZE else float(change.trainable)

    def _shade(self, change: Change) -> int:
        if not self.most:
            return FAINTEST
        return max(FAINTEST, round(DARKEST * self._value(change) / self.most))


def _table(caption: str, head: Sequence[str], rows: Sequence[str]) -> str:
    titles = "".join(f'<th scope="col">{escape(title)}</th>' for title in head)
    lines = "".join(f"<tr>{row}</tr>" for row in rows)
    return (
        f'<p>{escape(caption)}</p><div><table aria-label="{escape(caption)}">'
        f"<thead><tr>{titles}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _label(layer: int) -> str:
    return f'<th scope="row">{layer}</th>'


def _figures(change: Change, by: str) -> tuple[str, str]:
    """The figure of a cell, and the one below it."""
    return _trained(change) if by == TRAINED else _size(change.weight)


def _trained(change: Change) -> tuple[str, str]:
    weight = change.weight
    if weight is None or weight.relative is None:
        return text.count(change.trainable), ""
    return text.count(change.trainable), text.share(weight.share)


def _size(weight: WeightChange | None) -> tuple[str, str]:
    if weight is None:
        return "–", "no weight"
    if weight.relative is None:
        return text.share(weight.relative_shift), "bias"
    rank = weight.effective_rank
    return text.share(weight.relative), "" if rank is None else f"rank {rank:.1f}"
