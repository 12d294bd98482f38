"""The only HTML of ours that carries values: figures in tiles and a progress bar. Everything is escaped."""

from collections.abc import Iterable
from html import escape

Tile = tuple[str, str, str]
"""(label, figure, small print)"""


def tiles(figures: Iterable[Tile]) -> str:
    """A row of figures; the first one is the one to look at."""
    made = [_tile(figure, "tile main" if n == 0 else "tile") for n, figure in enumerate(figures)]
    return f'<div class="tiles{" six" if len(made) == 6 else ""}">{"".join(made)}</div>'


def bar(fraction: float) -> str:
    """A progress bar; `fraction` of 1."""
    return f'<div class="bar"><div style="width:{100 * min(1.0, max(0.0, fraction)):.1f}%"></div></div>'


def _tile(figure: Tile, kind: str) -> str:
    label, value, note = (escape(str(part)) for part in figure)
    return f'<div class="{kind}"><span>{label}</span><b>{value}</b>{f"<small>{note}</small>" if note else ""}</div>'
