"""A comparison of methods: what is to be run, how far it is, and what it measured.

It is a grid of runs, methods × datasets × shots × seeds. The same as `compare` on the command line,
of which `command()` is the line.
"""

import json
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from .data_spec import DataSpec
from .errors import BadValue
from .knobs import build, knobs
from .old_recipes import SINCE
from .run_state import RunState
from .specs import Recipe

MOST_RUNS = 10_000
"""Of one comparison."""
MOST_WORKERS = 64

BEST = "best"
TIED = "tied"
UNCLEAR = "unclear"
"""Marks of a cell: the best of its column · cannot be told from it · nothing tells."""


@dataclass(frozen=True)
class ComparisonSpec:
    """What is compared. Raises `BadValue` where that is nothing, or too much."""

    methods: tuple[str, ...]
    """Words of `compare --methods`: a name, or one with its knobs, "lora:rank=4"."""
    data: tuple[DataSpec, ...]
    """Their own shots and seeds do not count."""
    shots: tuple[int, ...] = (DataSpec.shots,)
    seeds: tuple[int, ...] = (0, 1, 2)
    backbone: str = ""
    size: int = 0
    recipe: Recipe = field(default_factory=Recipe)
    workers: int = 1
    """Runs at a time."""

    def __post_init__(self):
        for name in ("methods", "data", "shots", "seeds"):
            values = tuple(dict.fromkeys(getattr(self, name)))
            object.__setattr__(self, name, values)
        for words, values, hint in (
            ("method", self.methods, "Choose two, to begin with."),
            ("dataset", self.data, "Choose one."),
            ("number of shots", self.shots, "16 is usual."),
            ("seed", self.seeds, "Three of them say how much chance there is."),
        ):
            if not values:
                raise BadValue(f"no {words} is chosen.", hint)
        self._check_numbers()
        names = [spec.argument() for spec in self.data]
        if len(set(names)) < len(names):
            raise BadValue("two of the datasets have the same name.", "Rename one.")

    def _check_numbers(self) -> None:
        for name, values, low, high in (
            ("shots", self.shots, 1, 100_000),
            ("seeds", self.seeds, 0, 2**31),
            ("size", (self.size,), 0, 4096),
            ("workers", (self.workers,), 1, MOST_WORKERS),
        ):
            if not all(type(value) is int and low <= value <= high for value in values):
                raise BadValue(f"{name} takes whole numbers from {low:,} to {high:,}.")
        if self.runs > MOST_RUNS:
            raise BadValue(f"that is {self.runs:,} runs, and at most {MOST_RUNS:,} go together.")

    @property
    def runs(self) -> int:
        """How many there are."""
        return len(self.methods) * len(self.data) * len(self.shots) * len(self.seeds)

    def at(self, shots: int) -> tuple[DataSpec, ...]:
        """The datasets with so many shots."""
        return tuple(replace(spec, shots=shots, seed=0) for spec in self.data)

    def public(self) -> "ComparisonSpec":
        """This spec with nothing private in it."""
        return replace(self, data=tuple(spec.public() for spec in self.data))

    def to_json(self) -> dict[str, Any]:
        """A dict of JSON values; `from_json` gives the spec back."""
        values = {**vars(self), "recipe": asdict(self.recipe)}
        values["data"] = [spec.to_json() for spec in self.data]
        return json.loads(json.dumps(values))

    @staticmethod
    def from_json(plain: Any) -> "ComparisonSpec":
        """The spec again; `BadValue` whatever else `plain` is."""
        try:
            values = dict(plain)
            data = tuple(DataSpec(**spec) for spec in values.pop("data"))
            recipe = build(Recipe, SINCE | values.pop("recipe"))
            spec = ComparisonSpec(data=data, recipe=recipe, **values)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise BadValue("this comparison is ill-formed.") from None
        if not all(isinstance(word, str) for word in (*spec.methods, spec.backbone)):
            raise BadValue("this comparison is ill-formed.")
        return spec

    def command(self) -> str:
        """The command line that does the same, one for each number of shots."""
        return "\n".join(self._command(shots) for shots in self.shots)

    def _command(self, shots: int) -> str:
        words = ["python", "-m", "peft_demo", "compare"]
        for spec in self.data:
            words += ["--data", spec.argument()]
        for flag, value in self.data[0].reading().items():
            words += [flag, value]
        words += ["--methods", ",".join(self.methods), "--seeds", _seeds(self.seeds)]
        words += ["--shots", str(shots)]
        if self.backbone:
            words += ["--backbone", self.backbone]
        if self.size:
            words += ["--size", str(self.size)]
        for knob in knobs(Recipe):
            value = getattr(self.recipe, knob.name)
            if value != knob.default:
                words += [f"--{knob.name.replace('_', '-')}", str(value)]
        if self.workers > 1:
            words += ["--workers", str(self.workers)]
        return shlex.join(words)


def _seeds(seeds: tuple[int, ...]) -> str:
    """(0, 1, 2) → "3"; (1, 4) → "1,4"; (7,) → "7,"."""
    if seeds == tuple(range(len(seeds))):
        return str(len(seeds))
    return ",".join(map(str, seeds)) + ("," if len(seeds) == 1 else "")


@dataclass(frozen=True)
class ComparisonCost:
    """What a comparison would take, before it starts."""

    runs: int
    seconds: float | None
    """On this machine, by what has run here; None where nothing has."""


@dataclass(frozen=True)
class ComparisonCard:
    """A line of the list of comparisons."""

    id: str
    spec: ComparisonSpec
    state: RunState
    started: str
    """ISO 8601, UTC."""
    done: int
    """Runs that have ended well."""
    failed: int
    doing: str = ""
    """What it does at this moment."""
    problem: str = ""
    """Why it ended before all runs had, "" where a person stopped it or it has not."""


@dataclass(frozen=True)
class Cell:
    """A method on one dataset, over its seeds. Accuracies are fractions of 1, None where not
    measured."""

    accuracy: float | None
    """On test images; over several seeds the mean."""
    images: int
    """Test images of one seed."""
    interval: tuple[float, float] | None
    """Of one seed: where the true accuracy lies with 95 % confidence."""
    deviation: float | None
    """Of several seeds: their sample deviation."""
    val_accuracy: float | None
    seeds: int
    """Runs that ended well."""
    mark: str = ""
    """`BEST`, `TIED`, `UNCLEAR`, or "" where it is worse than the best."""


@dataclass(frozen=True)
class ComparedMethod:
    """A row of the table: costs are means over its runs, None where none has ended well."""

    method: str
    """Its word."""
    cells: Mapping[str, Cell]
    """Dataset → how good it is there; those without a run are left out."""
    mean: Cell | None
    """Over several datasets, all measured."""
    rank: float | None
    """Its mean rank over datasets and seeds, 1 is best; None for one dataset or one method."""
    trainable: float | None
    """Without the head."""
    head: float | None
    file_bytes: float | None
    seconds: float | None
    images_per_second: float | None
    failed: int
    problem: str
    """Why the first of those that failed did."""


@dataclass(frozen=True)
class ComparisonTable:
    """What a comparison measured so far with one number of shots."""

    shots: int
    datasets: tuple[str, ...]
    rows: tuple[ComparedMethod, ...]
    legend: str
    """What the marks mean and how they were found."""


@dataclass(frozen=True)
class LearningCurve:
    """How one run of a cell learned: (step, validation loss, validation accuracy)."""

    seed: int
    points: tuple[tuple[int, float, float], ...] = field(default=())
