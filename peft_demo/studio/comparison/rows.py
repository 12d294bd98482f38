"""Lines of runs as rows: of each method the mean and spread of its accuracies, and its costs."""

from collections.abc import Iterable, Mapping, Sequence
from statistics import mean, stdev
from typing import Any

from ...contracts.accuracy import interval_of
from . import best, ranks
from .best import Gap, gaps
from .results import Line

AVERAGED = (
    "trainable",
    "head",
    "file_bytes",
    "seconds",
    "images_per_second",
    "memory_mb",
    "saved_mb",
)
"""Costs of a row that are means over its runs."""

Row = dict[str, Any]
"""A method over its seeds and sets: accuracies, costs, how many runs ended well and failed."""


def summary(lines: Sequence[Line]) -> list[Row]:
    """One row for each method, in the order they come.

    Its figures are means over the runs that ended well, spreads are sample deviations over seeds.
    "sets" has the accuracies on each dataset. Where there are several, the row's own accuracies are
    means over the sets, so that each counts the same, and have no spread; "rank" is the mean rank
    over sets and seeds. "against_best" says of each accuracy how far it lies below the best of the
    table.
    """
    methods = dict.fromkeys(line["method"] for line in lines)
    columns = gaps(lines)
    ranked = ranks.mean_ranks(ranks.by_task(lines))
    rows = []
    for name in methods:
        row = _row(name, [line for line in lines if line["method"] == name])
        rows.append({**_with_gaps(row, columns), "rank": ranked.get(name)})
    return rows


def legend(lines: Sequence[Line], seeds: int) -> str:
    """What the marks and the ranks of a table mean and how they were found; "" for one method."""
    parts = best.legend(gaps(lines), seeds), ranks.legend(lines)
    return " ".join(part for part in parts if part)


def _with_gaps(row: Row, columns: Mapping[str, Mapping[str, Gap]]) -> Row:
    """The row, each of its accuracies with its "against_best", None where there is nothing to
    compare with."""

    def against(column: str) -> Row | None:
        gap = columns.get(column, {}).get(row["method"])
        return gap.to_json() if gap else None

    sets = {name: {**part, "against_best": against(name)} for name, part in row["sets"].items()}
    whole = next(iter(sets)) if len(sets) == 1 else ""
    return {**row, "sets": sets, "against_best": against(whole)}


def _row(method: str, lines: Sequence[Line]) -> Row:
    good = [line for line in lines if "error" not in line]
    errors = [line["error"] for line in lines if "error" in line]
    sets = {
        name: _accuracies([line for line in good if line["data"] == name])
        for name in dict.fromkeys(line["data"] for line in lines)
    }
    row = {
        "method": method,
        "seeds": len(good),
        "failed": len(errors),
        "error": errors[0] if errors else "",
        "sets": sets,
        **_over_sets(list(sets.values())),
    }
    for name in AVERAGED:
        row[name] = _mean(line[name] for line in good)
    return row


def _over_sets(sets: Sequence[Row]) -> Row:
    """The accuracies of a row: those of its one set, or means over several, all measured."""
    if len(sets) == 1:
        return sets[0]
    row = {}
    for name in ("test_accuracy", "val_accuracy"):
        accuracies = [accuracy[name] for accuracy in sets]
        row[name] = None if None in accuracies else mean(accuracies)
    return row


def _accuracies(lines: Sequence[Line]) -> Row:
    row = {}
    for part in ("test", "val"):
        accuracies = [line[f"{part}_accuracy"] for line in lines]
        has_spread = len(accuracies) > 1 and None not in accuracies
        row[f"{part}_accuracy"] = _mean(accuracies)
        row[f"{part}_std"] = stdev(accuracies) if has_spread else None
        row[f"{part}_interval"] = _interval(lines[0], part) if len(lines) == 1 else None
    return row


def _interval(line: Line, part: str) -> tuple[float, float] | None:
    """Where the accuracy of one run lies with 95 % confidence; None where nothing was measured or
    an older line does not say on how many images."""
    images = line.get(f"{part}_images")
    accuracy = line[f"{part}_accuracy"]
    if not images or accuracy is None:
        return None
    return interval_of(accuracy, images)


def _mean(values: Iterable[float | None]) -> float | None:
    measured = [value for value in values if value is not None]
    return mean(measured) if measured else None
