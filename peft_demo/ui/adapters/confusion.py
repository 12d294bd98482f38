"""The confusion matrix as a table: a row for what a picture is, a column for what it was taken for,
a button in every cell that has pictures.
"""

from collections.abc import Sequence
from html import escape

import gradio as gr

from ...contracts.score import Score
from .. import text

MOST = 20
"""Classes that are drawn; of more, those with the most mistakes."""
DARKEST = 35
"""Per cent of the colour in the fullest cell: words on it stay readable."""

_PRESSED = """
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-cell]")
  if (chosen) trigger("select", {index: 0, value: chosen.dataset.cell})
})
"""
"""Script of the table: a press on a cell tells which, as "row,column"."""


def build() -> gr.HTML:
    """The empty table, drawn into the open context; its `select` event tells which cell."""
    return gr.HTML("", js_on_load=_PRESSED, padding=False, elem_id="confusion")


def draw(score: Score) -> str:
    """HTML: the table, every name escaped."""
    shown = _shown(score)
    head = "".join(f'<th scope="col">{_name(score, column)}</th>' for column in shown)
    rows = "".join(_row(score, row, shown) for row in shown)
    words = "Rows: what it is. Columns: what it was taken for. Press a cell to see its pictures."
    if len(shown) < len(score.classes):
        words = f"The {MOST} classes with the most mistakes. {words}"
    return (
        f'<div class="confusion"><p>{words}</p><div><table><thead><tr><td></td>{head}</tr></thead>'
        f"<tbody>{rows}</tbody></table></div></div>"
    )


def cell(score: Score, value: object) -> tuple[int, int] | None:
    """The (row, column) that a press told, None if there is no such cell: a browser may send
    anything.
    """
    row, _, column = str(value)[:20].partition(",")
    if not (row.isdecimal() and column.isdecimal()):
        return None
    place = int(row), int(column)
    return place if max(place) < len(score.classes) else None


def _shown(score: Score) -> Sequence[int]:
    """Numbers of the classes that are drawn, in their order."""
    matrix = score.confusion
    every = range(len(score.classes))
    if len(every) <= MOST:
        return every
    mistakes = {n: sum(matrix[n]) + sum(row[n] for row in matrix) - 2 * matrix[n][n] for n in every}
    return sorted(sorted(every, key=lambda n: -mistakes[n])[:MOST])


def _name(score: Score, number: int) -> str:
    return escape(score.classes[number].name)


def _row(score: Score, row: int, shown: Sequence[int]) -> str:
    cells = "".join(_cell(score, row, column) for column in shown)
    return f'<tr><th scope="row">{_name(score, row)}</th>{cells}</tr>'


def _cell(score: Score, row: int, column: int) -> str:
    count = score.confusion[row][column]
    if not count:
        return "<td>0</td>"
    share = round(DARKEST * count / max(map(max, score.confusion)))
    look = "right" if row == column else "mistake"
    words = f"{_name(score, row)} taken for {_name(score, column)}: {text.plural(count, 'picture')}"
    return (
        f'<td class="{look}" style="--share:{max(share, 8)}%"><button type="button" '
        f'data-cell="{row},{column}" aria-label="{words}">{count}</button></td>'
    )
