"""Methods × seeds as a table: mean and spread of accuracies, and what each method costs."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import mean, stdev

from ..cli.terminal import table
from ..contracts.errors import BadValue
from ..contracts.specs import DataSpec, Recipe
from ..vit import Backbone
from .contenders import Contender
from .sweep import Job, job

COSTS = ("TRAINABLE", "FILE", "SECONDS", "IMAGES/S", "MEMORY")
AVERAGED = (
    "trainable",
    "head",
    "file_bytes",
    "seconds",
    "images_per_second",
    "memory_mb",
    "saved_mb",
)


def jobs(
    entrants: Sequence[Contender],
    seeds: int,
    data: Sequence[DataSpec],
    backbone: Backbone,
    recipe: Recipe,
) -> list[Job]:
    """Every entrant on every dataset with every seed from 0 on; together those that share their images.

    Raises `BadValue` if two datasets go by one name, as the lines of a results file know them by it.
    """
    names = Counter(each.argument() for each in data)
    if twice := [name for name, n in names.items() if n > 1]:
        raise BadValue(f"two of the datasets are called {twice[0]}.", "Rename one.")
    splits = [replace(each, seed=seed) for each in data for seed in range(seeds)]
    return [job(e, split, backbone, recipe) for split in splits for e in entrants]


def summary(lines: Sequence[dict]) -> list[dict]:
    """One row for each method, in the order they come: means over the seeds that ended well, sample deviations.

    "sets" has the accuracies on each dataset. Where there are several, the row's own accuracies are means over them, so
    each set counts the same, and have no deviation.
    """
    order = list(dict.fromkeys(line["method"] for line in lines))
    by_method = sorted(lines, key=lambda line: order.index(line["method"]))
    return [
        _row(method, list(own)) for method, own in groupby(by_method, lambda line: line["method"])
    ]


def _row(method: str, lines: list[dict]) -> dict:
    good = [line for line in lines if "error" not in line]
    row = {"method": method, "seeds": len(good), "failed": len(lines) - len(good)}
    row["error"] = next((line["error"] for line in lines if "error" in line), "")
    names = dict.fromkeys(line["data"] for line in lines)
    row["sets"] = {
        name: _accuracies([line for line in good if line["data"] == name]) for name in names
    }
    row |= _over(list(row["sets"].values()))
    return row | {name: _mean(line[name] for line in good) for name in AVERAGED}


def _over(sets: Sequence[dict]) -> dict:
    """The accuracies of a row: those of its one dataset, or means over several that were all measured."""
    if len(sets) == 1:
        return sets[0]
    columns = {name: [each[name] for each in sets] for name in ("test_accuracy", "val_accuracy")}
    return {name: None if None in column else mean(column) for name, column in columns.items()}


def _mean(values: Iterable[float | None]) -> float | None:
    measured = [v for v in values if v is not None]
    return mean(measured) if measured else None


def _accuracies(lines: Sequence[dict]) -> dict:
    return _accuracy("test", lines) | _accuracy("val", lines)


def _accuracy(part: str, lines: Sequence[dict]) -> dict:
    values = [line[f"{part}_accuracy"] for line in lines]
    spread = stdev(values) if len(values) > 1 and None not in values else None
    return {f"{part}_accuracy": _mean(values), f"{part}_std": spread}


def head(data: Sequence[DataSpec]) -> tuple[str, ...]:
    """The columns of a table over these datasets: one's test and validation, or the tests of several and their mean."""
    if len(data) == 1:
        return "METHOD", "TEST", "VALIDATION", *COSTS, ""
    return "METHOD", *(each.argument().upper() for each in data), "MEAN", *COSTS, ""


def printed(rows: Sequence[dict], device: str) -> list[tuple[str, ...]]:
    """The rows as cells under `head`."""
    return [_cells(row, "memory_mb" if device == "cuda" else "saved_mb") for row in rows]


def _cells(row: dict, memory: str) -> tuple[str, ...]:
    accuracies = _told(row)
    note = f"{row['failed']} failed: {row['error']}" if row["failed"] else ""
    if not row["seeds"]:
        return row["method"], *[""] * (len(accuracies) + len(COSTS)), note
    cost = (
        f"{row['trainable']:,.0f}",
        f"{row['file_bytes'] / 1000:.1f} kB",
        f"{row['seconds']:.1f}",
    )
    return (
        row["method"],
        *accuracies,
        *cost,
        f"{row['images_per_second']:.0f}",
        f"{row[memory]:.1f} MB",
        note,
    )


def _told(row: dict) -> list[str]:
    if len(row["sets"]) == 1:
        return [_spread(row, "test"), _spread(row, "val")]
    return [*(_spread(each, "test") for each in row["sets"].values()), _spread(row, "test")]


def _spread(row: dict, part: str) -> str:
    value = row[f"{part}_accuracy"]
    spread = row.get(f"{part}_std")
    if value is None:
        return "not measured"
    return f"{100 * value:.1f}" + ("" if spread is None else f" ± {100 * spread:.1f}")


def caption(seeds: int, data: Sequence[DataSpec], backbone: Backbone, recipe: Recipe) -> str:
    """What the table's figures are."""
    device = backbone.device.type
    memory = (
        "peak allocated on the device"
        if device == "cuda"
        else "activations a step keeps for its backward"
    )
    who = f"seeds 0 to {seeds - 1}, mean ± sample deviation" if seeds > 1 else "seed 0"
    names = ", ".join(each.argument() for each in data)
    what = f"{names}, {data[0].shots} shots, epochs: {recipe.epochs}"
    tests = (
        "Test accuracies in percent; costs are means over the sets"
        if len(data) > 1
        else "Accuracies in percent"
    )
    return (
        f"{what}, {backbone.name} at {backbone.size} px, {who}. "
        f"{tests}; trainable without the head; on {device}, batch {recipe.batch}; memory: {memory}."
    )


def drawn(rows: Sequence[tuple[str, ...]], head: Sequence[str], markdown: bool) -> list[str]:
    """The lines of a table, as Markdown or for a terminal."""
    return as_markdown(rows, head) if markdown else table([head, *rows])


def as_markdown(rows: Sequence[tuple[str, ...]], head: Sequence[str]) -> list[str]:
    """A table as GitHub draws it: first column to the left, figures to the right; a column with nothing in it goes."""
    used = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [[row[i].lower() if row is head else row[i] for i in used] for row in (head, *rows)]
    rule = ["---", *["---:"] * (len(used) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:])]
