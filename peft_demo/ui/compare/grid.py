"""The table of a comparison as HTML: it fills while the runs go on, and each cell is a button that
shows how its runs learned."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from ...contracts.comparison import (
    BEST,
    TIED,
    UNCLEAR,
    Cell,
    ComparedMethod,
    ComparisonSpec,
    ComparisonTable,
)
from ...contracts.spreadsheet import csv_text
from .. import text
from ..titles import Titles

COSTS = ("Trained", "File", "Time", "Images / s")
SIGNS = {BEST: "≈", TIED: "≈", UNCLEAR: "?"}
CSV_HEAD = (
    "method",
    "data",
    "shots",
    "seed",
    "test_accuracy",
    "test_images",
    "val_accuracy",
    "val_images",
    "trainable",
    "head",
    "file_bytes",
    "seconds",
    "images_per_second",
    "lr",
    "error",
    "id",
)


class Place(NamedTuple):
    """A cell of the grid."""

    method: str
    data: str

    @property
    def word(self) -> str:
        """What a press on it tells."""
        return f"{self.method}|{self.data}"

    @classmethod
    def read(cls, word: str) -> "Place":
        """Whatever the browser sent: look it up, never trust it."""
        method, _, data = word.partition("|")
        return cls(method, data)


def title_of(word: str, titles: Titles) -> str:
    """lora:rank=4 → LoRA rank=4"""
    name, *settings = word.split(":")
    return " ".join([titles.get(name, name), *settings])


def draw(
    spec: ComparisonSpec, table: ComparisonTable, titles: Titles, pressed: Place | None
) -> str:
    """HTML: a row for each method, those that have not run yet too."""
    rows = {row.method: row for row in table.rows}
    several = len(table.datasets) > 1
    head = ["Method", *table.datasets, *(["Mean", "Mean rank"] if several else []), *COSTS]
    cells = "".join(f'<th scope="col">{escape(words)}</th>' for words in head)
    lines = "".join(
        _row(word, rows.get(word), table.datasets, len(spec.seeds), titles, pressed)
        for word in spec.methods
    )
    return (
        f'<div class="compared" tabindex="0" role="group" aria-label="The table, to be scrolled">'
        f"<table><thead><tr>{cells}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def _row(
    word: str,
    row: ComparedMethod | None,
    datasets: Sequence[str],
    seeds: int,
    titles: Titles,
    pressed: Place | None,
) -> str:
    cells = row.cells if row else {}
    parts = [f'<th scope="row">{escape(title_of(word, titles))}{_problem(row)}</th>']
    for data in datasets:
        place = Place(word, data)
        parts.append(_cell(cells.get(data), place, seeds, place == pressed))
    if len(datasets) > 1:
        mean = row.mean if row else None
        rank = "–" if row is None or row.rank is None else f"{row.rank:.1f}"
        parts.append(f"<td{_look(mean)}>{_figures(mean) if mean else '–'}</td><td>{rank}</td>")
    parts += [f"<td>{escape(words)}</td>" for words in _costs(row)]
    return f"<tr>{''.join(parts)}</tr>"


def _problem(row: ComparedMethod | None) -> str:
    if row is None or not row.failed:
        return ""
    words = f"{text.plural(row.failed, 'run')} failed: {row.problem}"
    return f'<small class="problem" title="{escape(words)}">{escape(words)}</small>'


def _cell(cell: Cell | None, place: Place, seeds: int, pressed: bool) -> str:
    if cell is None:
        return '<td class="open">…</td>'
    count = f"<em>{cell.seeds} of {seeds} seeds</em>" if cell.seeds < seeds else ""
    state = "true" if pressed else "false"
    return (
        f'<td{_look(cell)}><button type="button" data-act="curves" data-id="{escape(place.word)}" '
        f'aria-pressed="{state}">{_figures(cell)}{count}</button></td>'
    )


def _look(cell: Cell | None) -> str:
    return f' class="{cell.mark}"' if cell and cell.mark else ""


def _figures(cell: Cell) -> str:
    """HTML: the accuracy, how sure it is, and how it stands to the best."""
    if cell.accuracy is None:
        return f"<b>{_percent(cell.val_accuracy)}</b> <small>validation</small>"
    sign = f" <i>{SIGNS[cell.mark]}</i>" if cell.mark else ""
    return f"<b>{_percent(cell.accuracy)}</b> <small>{escape(doubt(cell))}</small>{sign}"


def doubt(cell: Cell) -> str:
    """± 1.2, or 81 to 87; "" where neither is known."""
    if cell.deviation is not None:
        return f"± {100 * cell.deviation:.1f}"
    if cell.interval is not None:
        low, high = (100 * bound for bound in cell.interval)
        return f"{low:.0f} to {high:.0f}"
    return ""


def _percent(accuracy: float | None) -> str:
    return "–" if accuracy is None else f"{100 * accuracy:.1f}"


def _costs(row: ComparedMethod | None) -> list[str]:
    if row is None or row.trainable is None:
        return [""] * len(COSTS)
    return [
        text.short(row.trainable),
        text.size(row.file_bytes or 0),
        text.seconds(row.seconds or 0),
        text.count(row.images_per_second or 0),
    ]


def as_csv(runs: Sequence[Mapping[str, object]]) -> str:
    """A line for each run that has ended."""
    return csv_text([CSV_HEAD, *([run.get(name) for name in CSV_HEAD] for run in runs)])
