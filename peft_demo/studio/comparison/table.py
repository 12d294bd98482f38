"""The lines of a comparison as the table of the page."""

from collections.abc import Mapping, Sequence
from typing import Any

from ...contracts.comparison import (
    BEST,
    TIED,
    UNCLEAR,
    Cell,
    ComparedMethod,
    ComparisonSpec,
    ComparisonTable,
    LearningCurve,
)
from . import best, rows
from .results import Line

MARKS = {best.MARK: TIED, best.UNKNOWN: UNCLEAR}


def table(spec: ComparisonSpec, lines: Sequence[Line], shots: int) -> ComparisonTable:
    """What the lines say of runs with so many shots, in the order of the spec's methods."""
    own = [line for line in lines if line["shots"] == shots and line["method"] in spec.methods]
    compared = {row["method"]: row for row in rows.summary(own)} if own else {}
    good = [line for line in own if "error" not in line]
    return ComparisonTable(
        shots=shots,
        datasets=tuple(data.argument() for data in spec.data),
        rows=tuple(_row(compared[word], good) for word in spec.methods if word in compared),
        legend=rows.legend(own, len(spec.seeds)),
    )


def curves(lines: Sequence[Line], method: str, data: str, shots: int) -> list[LearningCurve]:
    """How the runs of one cell learned, by their seeds; those that failed are left out."""
    wanted = {"method": method, "data": data, "shots": shots}
    return [
        LearningCurve(line["seed"], tuple(map(tuple, line.get("curve", ()))))
        for line in sorted(lines, key=lambda line: line["seed"])
        if "error" not in line and wanted.items() <= line.items()
    ]


def _row(row: rows.Row, good: Sequence[Line]) -> ComparedMethod:
    cells = {}
    for data, part in row["sets"].items():
        runs = [line for line in good if (line["method"], line["data"]) == (row["method"], data)]
        if runs:
            cells[data] = _cell(part, runs)
    several = len(row["sets"]) > 1 and row["test_accuracy"] is not None
    return ComparedMethod(
        method=row["method"],
        cells=cells,
        mean=_cell(row, ()) if several else None,
        rank=row["rank"],
        trainable=row["trainable"],
        head=row["head"],
        file_bytes=row["file_bytes"],
        seconds=row["seconds"],
        images_per_second=row["images_per_second"],
        failed=row["failed"],
        problem=row["error"],
    )


def _cell(part: Mapping[str, Any], runs: Sequence[Line]) -> Cell:
    return Cell(
        accuracy=part["test_accuracy"],
        images=max((line["test_images"] for line in runs), default=0),
        interval=part.get("test_interval"),
        deviation=part.get("test_std"),
        val_accuracy=part["val_accuracy"],
        seeds=len(runs),
        mark=_mark(part["against_best"]),
    )


def _mark(against: Mapping[str, Any] | None) -> str:
    if against is None:
        return ""
    return MARKS.get(against["mark"], "") if against["test"] else BEST
