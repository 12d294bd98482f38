"""Few-shot curves: any sets × shots × seeds, each class with the same number of training images.

As `compare` chooses them (`data.few_shot`), but every test image that a set gives is tested on,
read in batches. NOAH (2022) made 1, 2, 4, 8 and 16 shots and three seeds on five fine-grained sets
the usual ones. Which images its seeds chose stands in lists of its own, which are not read here.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, replace
from statistics import mean, stdev
from typing import Any

from ...contracts.data_spec import DataSpec
from ...contracts.errors import BadData, BadValue
from ...contracts.progress import Report
from ...contracts.text import quoted
from ...data import Dataset, split
from ...data.few_shot_tensors import FewShotTensors, few_shot_tensors
from ...studio.comparison.results import Line
from .images import FieldImages

EVERY = 10**9
"""Test images of a split, at most: all."""
MEAN = "mean"

Row = dict[str, Any]
"""A method: its "cells", of each set and of their mean, one a number of shots."""


def read_images(
    open_dataset: Callable[[DataSpec, Report | None], Dataset],
    data: DataSpec,
    size: int,
    report: Report | None,
) -> FieldImages:
    """The few-shot split that `data` names; its test images stay files. Raises `BadData`."""
    dataset = open_dataset(data, report)
    chosen = split(dataset, data.shots, data.seed, report, EVERY)
    if chosen.problem:
        raise BadData(chosen.problem)
    material = few_shot_tensors(replace(chosen, test=()), size, report)
    own = {field.name: getattr(material, field.name) for field in fields(FewShotTensors)}
    own["fingerprint"] = chosen.fingerprint
    return FieldImages(**own, tested=chosen.test, side=size)


def parse_shots(text: str) -> list[int]:
    """ "1,2,4" → [1, 2, 4]; `BadValue` for anything else."""
    try:
        shots = [int(part) for part in text.split(",")]
    except ValueError:
        shots = []
    if not shots or min(shots) < 1 or len(set(shots)) < len(shots):
        raise BadValue(f"--shots takes numbers of images, for instance 1,2,4, got {quoted(text)}.")
    return shots


def summary(lines: Sequence[Line]) -> list[Row]:
    """One row for each method, in the order they come. A mean over the sets is there where all of
    them were measured with every seed."""
    return [
        _row(method, [line for line in lines if line["method"] == method])
        for method in dict.fromkeys(line["method"] for line in lines)
    ]


def _row(method: str, lines: Sequence[Line]) -> Row:
    sets = dict.fromkeys(line["data"] for line in lines)
    shots = dict.fromkeys(line["shots"] for line in lines)
    errors = [line["error"] for line in lines if "error" in line]
    cells = {
        data: {
            str(count): _cell(x for x in lines if (x["data"], x["shots"]) == (data, count))
            for count in shots
        }
        for data in sets
    }
    if len(sets) > 1:
        cells[MEAN] = {str(n): _mean([cells[d][str(n)] for d in sets]) for n in shots}
    return {"method": method, "cells": cells, "error": errors[0] if errors else ""}


def _cell(lines: Iterable[Line]) -> Row | None:
    """Mean and sample deviation over the seeds; None where one of them failed."""
    own = list(lines)
    if any("error" in line for line in own):
        return None
    accuracies = [line["test_accuracy"] for line in own]
    spread = stdev(accuracies) if len(accuracies) > 1 else None
    return {"accuracy": mean(accuracies), "std": spread, "images": own[0]["test_images"]}


def _mean(cells: Sequence[Row | None]) -> Row | None:
    measured = [cell["accuracy"] for cell in cells if cell]
    if len(measured) < len(cells):
        return None
    return {"accuracy": mean(measured), "std": None, "images": 0}


def table(rows: Sequence[Row]) -> tuple[list[tuple[str, ...]], tuple[str, ...]]:
    """(cells, head): a line for each method and set, a column for each number of shots."""
    shots = dict.fromkeys(n for row in rows for cells in row["cells"].values() for n in cells)
    head = ("method", "data", *(f"{n} shots" for n in shots), "")
    cells = [
        (row["method"], data, *(_printed(own.get(n)) for n in shots), row["error"])
        for row in rows
        for data, own in row["cells"].items()
    ]
    return cells, head


def _printed(cell: Row | None) -> str:
    if cell is None:
        return "failed"
    spread = "" if cell["std"] is None else f" ± {100 * cell['std']:.1f}"
    return f"{100 * cell['accuracy']:.1f}{spread}"
