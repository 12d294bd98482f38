"""Comparisons that run nothing: a table that is half full."""

from collections.abc import Mapping, Sequence

from peft_demo.contracts.comparison import (
    BEST,
    TIED,
    Cell,
    ComparedMethod,
    ComparisonCard,
    ComparisonCost,
    ComparisonSpec,
    ComparisonTable,
    LearningCurve,
)
from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.run_state import RunState
from peft_demo.contracts.specs import DataSpec

from .examples import EVIL

SPEC = ComparisonSpec(
    methods=("lora", "arc", EVIL), data=(DataSpec(), DataSpec(name=EVIL)), shots=(2, 16)
)


def cell(accuracy: float, mark: str = "") -> Cell:
    return Cell(accuracy, 355, None, 0.012, 0.9, 3, mark)


ROWS = (
    ComparedMethod(
        "lora", {"digits": cell(0.9, BEST)}, None, None, 73_728, 1930, 311_000, 62.0, 110.0, 0, ""
    ),
    ComparedMethod(
        "arc", {"digits": cell(0.89, TIED)}, None, None, 9000, 1930, 50_000, 60.0, 112.0, 1, EVIL
    ),
)


class FakeComparisons:
    def __init__(self, starts: bool = True):
        self.starts = starts
        self.specs: dict[str, ComparisonSpec] = {}
        self.state = RunState.RUNNING

    def cost(self, spec: ComparisonSpec) -> ComparisonCost:
        if any(word.startswith("lroa") for word in spec.methods):
            raise BadValue("no method 'lroa'.")
        return ComparisonCost(spec.runs, 60.0 * spec.runs if spec.workers > 1 else None)

    def start(self, spec: ComparisonSpec, owner: str = "") -> str:
        id = f"comparison-{len(self.specs)}"
        self.specs[id] = spec
        return id

    def go_on(self, id: str, owner: str = "") -> None:
        self.state = RunState.RUNNING

    def stop(self, id: str, owner: str = "") -> None:
        self.state = RunState.STOPPED

    def comparisons(self) -> Sequence[ComparisonCard]:
        return [
            ComparisonCard(id, spec, self.state, "2026-01-02T03:04:05+00:00", 4, 1, EVIL, "")
            for id, spec in reversed(self.specs.items())
        ]

    def table(self, id: str, shots: int = 0) -> ComparisonTable:
        names = tuple(data.argument() for data in self.specs[id].data)
        return ComparisonTable(shots or self.specs[id].shots[0], names, ROWS, "≈ the best.")

    def curves(self, id: str, method: str, data: str, shots: int) -> Sequence[LearningCurve]:
        if (method, data) != ("lora", "digits"):
            return []
        return [LearningCurve(seed, ((1, 2.0, 0.3), (2, 1.0, 0.5))) for seed in (0, 1)]

    def runs(self, id: str) -> Sequence[Mapping[str, object]]:
        return [{"method": "lora", "data": EVIL, "seed": 0, "error": "=1+1"}]
