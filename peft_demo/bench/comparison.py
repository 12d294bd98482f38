"""Methods × seeds as a table: mean and spread of accuracies, and what each method costs."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from ..cli.terminal import table
from ..contracts.errors import BadValue
from ..contracts.specs import DataSpec, Recipe
from ..contracts.text import quoted
from ..studio.comparison.contenders import Contender
from ..studio.comparison.rows import Row
from ..vit import Backbone
from .sweep import Job, job, tuned_job

COSTS = ("TRAINABLE", "FILE", "SECONDS", "IMAGES/S", "MEMORY")
MAX_SEEDS = 1000


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
    pairs = [(contender, split) for split in splits(data, seeds) for contender in contenders]
    if tune:
        return [tuned_job(contender, split, backbone, recipe, tune) for contender, split in pairs]
    return [job(contender, split, backbone, recipe) for contender, split in pairs]


def splits(data: Sequence[DataSpec], seeds: Sequence[int]) -> list[DataSpec]:
    """Every dataset with every seed.

    Raises `BadValue` if two datasets go by one name: the lines of a results file know them by it.
    """
    names = Counter(spec.argument() for spec in data)
    name, count = names.most_common(1)[0]
    if count > 1:
        raise BadValue(f"two of the datasets are called {name}.", "Rename one.")
    return [replace(spec, seed=seed) for spec in data for seed in seeds]


def head(data: Sequence[DataSpec]) -> tuple[str, ...]:
    """The columns of a table over these datasets.

    For one dataset its test and validation, for several the tests of each, their mean and ranks.
    """
    if len(data) == 1:
        return "METHOD", "TEST", "VALIDATION", *COSTS, ""
    names = [spec.argument().upper() for spec in data]
    return "METHOD", *names, "MEAN", "MEAN RANK", *COSTS, ""


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
    rank = "" if row["rank"] is None else f"{row['rank']:.1f}"
    return [*tests, _accuracy_cell(row, "test"), rank]


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
