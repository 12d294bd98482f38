"""The only HTML of ours that carries values: figures in tiles, a progress bar, a table. Everything
is escaped.
"""

from collections.abc import Iterable, Sequence
from html import escape
from typing import NamedTuple


class Tile(NamedTuple):
    label: str
    figure: str
    note: str = ""
    """Small print."""


def tiles(figures: Iterable[Tile]) -> str:
    """A row of figures; the first one is the one to look at."""
    cells = [_cell(tile, "tile" if n else "tile main") for n, tile in enumerate(figures)]
    layout = "tiles six" if len(cells) == 6 else "tiles"
    return f'<div class="{layout}">{"".join(cells)}</div>'


def bar(fraction: float) -> str:
    """A progress bar; `fraction` of 1."""
    width = 100 * min(1.0, max(0.0, fraction))
    return f'<div class="bar"><div style="width:{width:.1f}%"></div></div>'


def table(head: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """A table that reads like one in text."""
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    lines = [title, _row("th", head), *(_row("td", row) for row in rows)]
    return f'<div class="prose"><table tabindex="0">{"".join(lines)}</table></div>'


def _row(tag: str, cells: Iterable[object]) -> str:
    inside = "".join(f"<{tag}>{escape(str(cell))}</{tag}>" for cell in cells)
    return f"<tr>{inside}</tr>"


def _cell(tile: Tile, css_class: str) -> str:
    label = f"<span>{escape(tile.label)}</span>"
    figure = f"<b>{escape(tile.figure)}</b>"
    note = f"<small>{escape(tile.note)}</small>" if tile.note else ""
    return f'<div class="{css_class}">{label}{figure}{note}</div>'
