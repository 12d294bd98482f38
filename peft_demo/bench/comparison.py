"""Methods × seeds as a table: mean and spread of accuracies, and what each method costs."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import mean, stdev
from typing import Any

from ..cli.terminal import table
from ..contracts.accuracy import interval_of
from ..contracts.errors import BadValue
from ..contracts.specs import DataSpec, Recipe
from ..contracts.text import quoted
from ..vit import Backbone
from .best import Gap, gaps
from .contenders import Contender
from .results import Line
from .sweep import Job, job, tuned_job

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
"""Costs of a row that are means over its runs."""

MAX_SEEDS = 1000
Row = dict[str, Any]
"""A method over its seeds and sets: accuracies, costs, how many runs ended well and failed."""


def jobs(
    contenders: Sequence[Contender],
    seeds: Sequence[int],
    data: Sequence[DataSpec],
    backbone: Backbone,
    recipe: Recipe,
    tune: int = 0,
) -> list[Job]:
    """Every contender on every dataset with every seed, each after `tune` trials of its own. Those
    that share images come together.

    Raises `BadValue` if two datasets go by one name: the lines of a results file know them by it.
    """
    names = Counter(spec.argument() for spec in data)
    name, count = names.most_common(1)[0]
    if count > 1:
        raise BadValue(f"two of the datasets are called {name}.", "Rename one.")
    splits = [replace(spec, seed=seed) for spec in data for seed in seeds]
    pairs = [(contender, split) for split in splits for contender in contenders]
    if tune:
        return [tuned_job(contender, split, backbone, recipe, tune) for contender, split in pairs]
    return [job(contender, split, backbone, recipe) for contender, split in pairs]


def summary(lines: Sequence[Line]) -> list[Row]:
    """One row for each method, in the order they come.

    Its figures are means over the runs that ended well, spreads are sample deviations over seeds.
    "sets" has the accuracies on each dataset. Where there are several, the row's own accuracies are
    means over the sets, so that each counts the same, and have no spread. "against_best" says of
    each accuracy how far it lies below the best of the table.
    """
    methods = dict.fromkeys(line["method"] for line in lines)
    columns = gaps(lines)
    rows = []
    for name in methods:
        row = _row(name, [line for line in lines if line["method"] == name])
        rows.append(_with_gaps(row, columns))
    return rows


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


def head(data: Sequence[DataSpec]) -> tuple[str, ...]:
    """The columns of a table over these datasets.

    For one dataset its test and validation, for several the tests of each and their mean.
    """
    if len(data) == 1:
        return "METHOD", "TEST", "VALIDATION", *COSTS, ""
    names = [spec.argument().upper() for spec in data]
    return "METHOD", *names, "MEAN", *COSTS, ""


def printed(rows: Sequence[Row], device: str) -> list[tuple[str, ...]]:
    """The rows as cells under `head`."""
    memory = "memory_mb" if device == "cuda" else "saved_mb"
    return [_cells(row, memory) for row in rows]


def _cells(row: Row, memory: str) -> tuple[str, ...]:
    note = f"{row['failed']} failed: {row['error']}" if row["failed"] else ""
    accuracies = _accuracy_cells(row)
    if not row["seeds"]:
        empty = [""] * (len(accuracies) + len(COSTS))
        return row["method"], *empty, note
    return (
        row["method"],
        *accuracies,
        f"{row['trainable']:,.0f}",
        f"{row['file_bytes'] / 1000:.1f} kB",
        f"{row['seconds']:.1f}",
        f"{row['images_per_second']:.0f}",
        f"{row[memory]:.1f} MB",
        note,
    )


def _accuracy_cells(row: Row) -> list[str]:
    if len(row["sets"]) == 1:
        return [_accuracy_cell(row, "test"), _accuracy_cell(row, "val")]
    tests = [_accuracy_cell(accuracies, "test") for accuracies in row["sets"].values()]
    return [*tests, _accuracy_cell(row, "test")]


def _accuracy_cell(row: Row, part: str) -> str:
    accuracy = row[f"{part}_accuracy"]
    spread = row.get(f"{part}_std")
    if accuracy is None:
        return "not measured"
    doubt = "" if spread is None else f" ± {100 * spread:.1f}"
    if bounds := row.get(f"{part}_interval"):
        low, high = (100 * bound for bound in bounds)
        doubt = f" ({low:.0f} to {high:.0f})"
    against = row.get("against_best") if part == "test" else None
    mark = f" {against['mark']}" if against and against["mark"] else ""
    return f"{100 * accuracy:.1f}{doubt}{mark}"


def parse_seeds(text: str) -> list[int]:
    """ "3" → 0, 1 and 2; "1,4" → these two; "7," → this one.

    Raises `BadValue` for anything else.
    """
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        numbers = []
    seeds = numbers if "," in text else list(range(sum(numbers)))
    if not seeds or min(seeds) < 0 or len(seeds) > MAX_SEEDS or len(set(seeds)) < len(seeds):
        raise BadValue(
            f"--seeds takes how many (3: seeds 0 to 2) or which (1,2), got {quoted(text)}.",
            f"At most {MAX_SEEDS}, all of them different.",
        )
    return seeds


def _repeats(seeds: Sequence[int]) -> str:
    """seed 0; seeds 0 to 2, ...; seeds 1, 4, ..."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}, 95 % interval of the images in brackets"
    words = ", ".join(map(str, seeds))
    if list(seeds) == list(range(len(seeds))):
        words = f"0 to {seeds[-1]}"
    return f"seeds {words}, mean ± sample deviation"


def caption(
    seeds: Sequence[int],
    data: Sequence[DataSpec],
    backbone: Backbone,
    recipe: Recipe,
    tune: int = 0,
) -> str:
    """What the table's figures are."""
    names = ", ".join(spec.argument() for spec in data)
    repeats = _repeats(seeds)
    figures = "Accuracies in percent"
    if len(data) > 1:
        figures = "Test accuracies in percent; costs are means over the sets"
    device = backbone.device.type
    memory = "activations a step keeps for its backward"
    if device == "cuda":
        memory = "peak allocated on the device"
    tuned = f"best of {tune} trials on validation images, " if tune else ""
    return (
        f"{names}, {data[0].shots} shots, epochs: {recipe.epochs}, "
        f"{backbone.name} at {backbone.size} px, {tuned}{repeats}. "
        f"{figures}; trainable without the head; on {device}, batch {recipe.batch}; "
        f"memory: {memory}."
    )


def drawn(rows: Sequence[tuple[str, ...]], head: Sequence[str], markdown: bool) -> list[str]:
    """The lines of a table, as Markdown or for a terminal."""
    return as_markdown(rows, head) if markdown else table([head, *rows])


def as_markdown(rows: Sequence[tuple[str, ...]], head: Sequence[str]) -> list[str]:
    """A table as GitHub draws it: the first column to the left, figures to the right.

    A column with nothing in it goes.
    """
    used = [i for i in range(len(head)) if any(row[i] for row in rows)]
    titles = [head[i].lower() for i in used]
    rule = ["---", *["---:"] * (len(used) - 1)]
    cells = [[row[i] for i in used] for row in rows]
    return [f"| {' | '.join(line)} |" for line in (titles, rule, *cells)]
