"""A protocol as a command needs it: what is tried, and how it is said."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

from ...contracts.errors import UnknownName
from ...contracts.specs import DataSpec, Recipe, RunSpec
from ...studio.comparison.contenders import Contender
from .task import Benchmark, Task


class Plan(Protocol):
    """What each contender tries on a task."""

    def settings(self, contender: Contender, task: Task) -> list[RunSpec]:
        """Runs with nothing left open but data and backbone; one alone is not tried."""
        ...

    def said(self, contender: Contender, tasks: Sequence[Task]) -> dict[str, Any]:
        """Recipe and knobs, where they are from and what is different here, by their headings."""
        ...


def find_plan(
    protocol: str, benchmark: Benchmark, flags: Mapping[str, str], trials: int, seed: int
) -> Plan:
    """The plan of a protocol. `flags` are what a person says of the recipe."""
    from .ours import Ours
    from .paper import Paper

    plans = {"ours": Ours, "paper": Paper}
    if protocol not in plans:
        raise UnknownName("protocol", protocol, plans)
    return plans[protocol](benchmark, flags, trials, seed)


def filled(contender: Contender, knobs: Mapping[str, Any], recipe: Recipe, seed: int) -> RunSpec:
    """The run of a contender's method with these knobs and nothing left to defaults."""
    method = contender.method
    run = RunSpec(method.name, vars(method.config(knobs)), DataSpec(seed=seed))
    return replace(run, recipe=method.recipe(recipe))
