"""How long a comparison would take, by what has run on this machine."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median

from ...contracts.comparison import ComparisonSpec
from .results import Line


@dataclass(frozen=True)
class Pace:
    """How fast a method learns here, on one backbone at one size."""

    per_image: float
    """Seconds for each image that it learns from."""
    beside: float
    """Seconds of a run beside learning: validation, the test."""

    @classmethod
    def of(cls, line: Line, size: int) -> "Pace | None":
        """That of a run, as it would be at this size; None where its line does not tell."""
        if "error" in line or not line.get("curve") or not line["images_per_second"]:
            return None
        steps = line["curve"][-1][0]
        per_image = 1 / line["images_per_second"]
        learning = steps * line["spec"]["recipe"]["batch"] * per_image
        pixels = (size / line["size"]) ** 2
        return cls(pixels * per_image, pixels * max(0.0, line["seconds"] - learning))


def seconds(
    spec: ComparisonSpec, classes: Sequence[int], backbone: str, size: int, lines: Iterable[Line]
) -> float | None:
    """Of the whole comparison; None where nothing has run on this backbone.

    `classes` are those of its datasets; `backbone` and `size` are what the lines call them. Runs at
    this size count where there are any, else those at others, by their pixels. A method that has
    not run yet takes what the others take.
    """
    same = [line for line in lines if line["backbone"] == backbone]
    paces = _paces([line for line in same if line["size"] == size] or same, size)
    if not paces:
        return None
    usual = Pace(
        mean(pace.per_image for pace in paces.values()),
        mean(pace.beside for pace in paces.values()),
    )
    total = 0.0
    for method in spec.methods:
        pace = paces.get(method, usual)
        for shots in spec.shots:
            images = [spec.recipe.epochs * shots * count for count in classes]
            total += sum(pace.beside + pace.per_image * count for count in images)
    return total * len(spec.seeds) / spec.workers


def _paces(lines: Iterable[Line], size: int) -> dict[str, Pace]:
    """Method → the median of its runs."""
    runs: dict[str, list[Pace]] = {}
    for line in lines:
        if pace := Pace.of(line, size):
            runs.setdefault(line["method"], []).append(pace)
    return {
        method: Pace(
            median(pace.per_image for pace in paces), median(pace.beside for pace in paces)
        )
        for method, paces in runs.items()
    }
