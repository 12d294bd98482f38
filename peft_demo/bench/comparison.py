"""Methods × seeds as a table: mean and spread of accuracies, and what each method costs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby
from statistics import mean, stdev

from ..cli import table
from ..contracts.specs import DataSpec, Recipe
from ..vit import Backbone
from .entrants import Entrant
from .series import Job, job

HEAD = ("METHOD", "TEST", "VALIDATION", "TRAINABLE", "FILE", "SECONDS", "IMAGES/S", "MEMORY", "")
AVERAGED = ("trainable", "head", "file_bytes", "seconds", "images_per_second", "memory_mb", "saved_mb")


def jobs(entrants: Sequence[Entrant], seeds: int, data: DataSpec, backbone: Backbone, recipe: Recipe) -> list[Job]:
    """Every entrant with every seed from 0 on, seed by seed, so that each seed's images are read once."""
    return [job(e, replace(data, seed=seed), backbone, recipe) for seed in range(seeds) for e in entrants]


def summary(lines: Sequence[dict]) -> list[dict]:
    """One row for each method, in the order they come: means over the seeds that ended well, sample deviations."""
    order = list(dict.fromkeys(line["method"] for line in lines))
    by_method = sorted(lines, key=lambda line: order.index(line["method"]))
    return [_row(method, list(own)) for method, own in groupby(by_method, lambda line: line["method"])]


def _row(method: str, lines: list[dict]) -> dict:
    good = [line for line in lines if "error" not in line]
    row = {"method": method, "seeds": len(good), "failed": len(lines) - len(good)}
    row["error"] = next((line["error"] for line in lines if "error" in line), "")
    for part in ("test", "val"):
        row |= _accuracy(part, [line[f"{part}_accuracy"] for line in good])
    return row | {name: _mean(line[name] for line in good) for name in AVERAGED}


def _mean(values: Iterable[float | None]) -> float | None:
    measured = [v for v in values if v is not None]
    return mean(measured) if measured else None


def _accuracy(part: str, values: list[float | None]) -> dict:
    spread = stdev(values) if len(values) > 1 and None not in values else None
    return {f"{part}_accuracy": _mean(values), f"{part}_std": spread}


def printed(rows: Sequence[dict], device: str) -> list[tuple[str, ...]]:
    """The rows as cells under `HEAD`."""
    return [_cells(row, "memory_mb" if device == "cuda" else "saved_mb") for row in rows]


def _cells(row: dict, memory: str) -> tuple[str, ...]:
    note = f"{row['failed']} failed: {row['error']}" if row["failed"] else ""
    if not row["seeds"]:
        return row["method"], *[""] * (len(HEAD) - 2), note
    accuracies = (_spread(row, "test"), _spread(row, "val"))
    cost = (f"{row['trainable']:,.0f}", f"{row['file_bytes'] / 1000:.1f} kB", f"{row['seconds']:.1f}")
    return row["method"], *accuracies, *cost, f"{row['images_per_second']:.0f}", f"{row[memory]:.1f} MB", note


def _spread(row: dict, part: str) -> str:
    value, spread = row[f"{part}_accuracy"], row[f"{part}_std"]
    if value is None:
        return "not measured"
    return f"{100 * value:.1f}" + ("" if spread is None else f" ± {100 * spread:.1f}")


def caption(seeds: int, data: DataSpec, backbone: Backbone, recipe: Recipe) -> str:
    """What the table's figures are."""
    device = backbone.device.type
    memory = "peak allocated on the device" if device == "cuda" else "activations a step keeps for its backward"
    who = f"seeds 0 to {seeds - 1}, mean ± sample deviation" if seeds > 1 else "seed 0"
    what = f"{data.argument()}, {data.shots} shots, epochs: {recipe.epochs}"
    return (
        f"{what}, {backbone.name} at {backbone.size} px, {who}. "
        f"Accuracies in percent; trainable without the head; on {device}, batch {recipe.batch}; memory: {memory}."
    )


def as_text(rows: Sequence[tuple[str, ...]], head: Sequence[str] = HEAD) -> list[str]:
    """Columns for a terminal."""
    return table([head, *rows])


def as_markdown(rows: Sequence[tuple[str, ...]], head: Sequence[str] = HEAD) -> list[str]:
    """A table as GitHub draws it: first column to the left, figures to the right; a column with nothing in it goes."""
    used = [i for i in range(len(head)) if any(row[i] for row in rows)]
    lines = [[row[i].lower() if row is head else row[i] for i in used] for row in (head, *rows)]
    rule = ["---", *["---:"] * (len(used) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (lines[0], rule, *lines[1:])]
