"""Which methods of a table cannot be told from its best, and how that was tested.

Two methods are compared on the test images that both have seen: those of the seeds that ended well
for both, pooled. Where older results do not keep which images were right, the differences of the
seeds are all there is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from statistics import mean, stdev
from typing import Any

from ...contracts.accuracy import mean_interval
from ...contracts.paired import Paired
from .results import Line, is_tested

IMAGES = "images"
"""McNemar's exact test over the images of all seeds."""
SEEDS = "seeds"
"""The paired differences over the seeds, with Student's interval."""
MARK = "≈"
UNKNOWN = "?"
CONFIDENCE = 0.95

Runs = Mapping[int, Line]
"""The runs of a method on one dataset, by their seeds."""


@dataclass(frozen=True)
class Gap:
    """How far a method lies below the best of its column."""

    best: str
    """The method that is compared with; the best of a column has itself here."""
    difference: float
    """Accuracy of the best less that of the method, on the same images, -1 to 1."""
    interval: tuple[float, float] | None
    """Where the true difference lies with 95 % confidence; None where nothing tells."""
    test: str
    """`IMAGES` or `SEEDS`, "" for the best itself."""
    p_value: float | None = None
    """Of McNemar's test."""

    @property
    def mark(self) -> str:
        """`MARK` where the two cannot be told apart, `UNKNOWN` where nothing tells, else ""."""
        if self.p_value is not None:
            return MARK if self.p_value >= 1 - CONFIDENCE else ""
        if self.interval is None:
            return UNKNOWN
        low, high = self.interval
        return MARK if low <= 0 <= high else ""

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "mark": self.mark}


def gaps(lines: Sequence[Line]) -> dict[str, dict[str, Gap]]:
    """Column → method → its gap. The columns are the datasets, and "" for the mean over them.

    Only methods that were measured are in a column, and only columns of two or more methods.
    """
    tested = [line for line in lines if is_tested(line)]
    sets = {
        name: _by_method([line for line in tested if line["data"] == name])
        for name in dict.fromkeys(line["data"] for line in lines)
    }
    everywhere = set.intersection(*(set(methods) for methods in sets.values())) if sets else set()
    columns = {name: _column([methods], list(methods)) for name, methods in sets.items()}
    if len(sets) > 1:
        names = [name for name in next(iter(sets.values())) if name in everywhere]
        columns[""] = _column(list(sets.values()), names)
    return columns


def _by_method(lines: Sequence[Line]) -> dict[str, Runs]:
    methods: dict[str, dict[int, Line]] = {}
    for line in lines:
        methods.setdefault(line["method"], {})[line["seed"]] = line
    return dict(methods)


def _column(sets: Sequence[Mapping[str, Runs]], methods: Sequence[str]) -> dict[str, Gap]:
    """The gaps of these methods, which all the sets know, in the mean over the sets."""
    if len(methods) < 2:
        return {}
    best = max(methods, key=lambda method: mean(_accuracy(runs[method]) for runs in sets))
    column = {}
    for method in methods:
        found = [_gap(best, runs[best], runs[method]) for runs in sets]
        column[method] = found[0] if len(found) == 1 else _averaged(found)
    column[best] = Gap(best, 0.0, (0.0, 0.0), "")
    return column


def _accuracy(runs: Runs) -> float:
    return mean(line["test_accuracy"] for line in runs.values())


def _gap(best: str, first: Runs, second: Runs) -> Gap:
    """The gap between the runs of the best and those of another method, on one dataset."""
    pairs = [(first[seed], second[seed]) for seed in first if seed in second]
    if pairs and all(_know_their_images(pair) for pair in pairs):
        paired = _pooled(pairs)
        return Gap(best, paired.difference, paired.interval, IMAGES, paired.p_value)
    differences = [one["test_accuracy"] - other["test_accuracy"] for one, other in pairs]
    apart = mean(differences) if pairs else _accuracy(first) - _accuracy(second)
    return Gap(best, apart, _over_seeds(differences), SEEDS)


def _know_their_images(pair: tuple[Line, Line]) -> bool:
    first, second = (line.get("right", "") for line in pair)
    return len(first) == len(second) > 0


def _pooled(pairs: Sequence[tuple[Line, Line]]) -> Paired:
    """The images of all pairs of runs, each as often as it was looked at."""
    return Paired.of(
        (one == "1", other == "1")
        for first, second in pairs
        for one, other in zip(first["right"], second["right"], strict=True)
    )


def _over_seeds(differences: Sequence[float]) -> tuple[float, float] | None:
    """Student's interval of their mean; None where they are too few or all the same."""
    from scipy.stats import t

    count = len(differences)
    if count < 2 or not stdev(differences):
        return None
    half = float(t.ppf((1 + CONFIDENCE) / 2, count - 1)) * stdev(differences) / sqrt(count)
    centre = mean(differences)
    return centre - half, centre + half


def _averaged(found: Sequence[Gap]) -> Gap:
    """The mean of gaps on several sets, whose errors are independent."""
    difference = mean(gap.difference for gap in found)
    test = IMAGES if all(gap.test == IMAGES for gap in found) else SEEDS
    intervals = [gap.interval for gap in found if gap.interval]
    if len(intervals) < len(found):
        return Gap(found[0].best, difference, None, test)
    return Gap(found[0].best, difference, mean_interval(intervals), test)


def legend(columns: Mapping[str, Mapping[str, Gap]], seeds: int) -> str:
    """What the marks of a table mean and how they were found; "" where nothing is compared."""
    every = [gap for column in columns.values() for gap in column.values()]
    if not every:
        return ""
    sentences = [
        f"{MARK} the best of a column, or not distinguishable from it on the same test images: "
        f"{_tests(every)}, each method by itself at 5 %."
    ]
    if any(gap.mark == UNKNOWN for gap in every):
        sentences.append(f"{UNKNOWN} nothing tells.")
    if "" in columns:
        sentences.append("The mean is judged by the intervals of all sets together.")
    if seeds == 1:
        sentences.append("That is one seed: other training images may turn the order.")
    methods = max(len(column) for column in columns.values())
    sentences.append(
        f"The best of {methods} methods is the one that did best on these test images, which took "
        "part in choosing it: its figure is flattered."
    )
    return " ".join(sentences)


def _tests(every: Sequence[Gap]) -> str:
    used = {gap.test for gap in every} - {""}
    by_images = "McNemar's exact test, images of all seeds pooled"
    by_seeds = (
        "paired differences over the seeds (Student's interval), as some results do not keep which "
        "images were right"
    )
    if used == {IMAGES}:
        return by_images
    return by_seeds if used == {SEEDS} else f"{by_images}, or {by_seeds}"
