"""The protocol `ours`: as many trials for every method, drawn around its own defaults.

`training.search` draws them: learning rates and the knobs that a method's record names. The recipe
is one for all methods, 100 epochs as in the papers, without crops, which would move what the
structured tasks ask for. The last state counts, in trials and in the end.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from ...contracts.data_spec import DataSpec
from ...contracts.knobs import build
from ...contracts.specs import Recipe, RunSpec, recipe_json
from ...studio.comparison.contenders import Contender
from ...training import search
from .plan import filled
from .task import Benchmark, Task

RECIPES: dict[str, dict[str, Any]] = {
    "vtab": {"epochs": 100, "augment": "none", "keep": "last"},
    "fgvc": {"epochs": 100, "augment": "window+flip", "keep": "last"},
}
"""Benchmark → what its recipe says before a person's flags."""
TRIALS = 20


class Ours:
    """A `Plan`: so many trials of every method; 1 takes the defaults."""

    def __init__(self, benchmark: Benchmark, flags: Mapping[str, str], trials: int, seed: int):
        self.recipe = build(Recipe, {**RECIPES[benchmark.name], **flags})
        self.trials = trials or TRIALS
        self.seed = seed

    def settings(self, contender: Contender, task: Task) -> list[RunSpec]:
        """The trials, the defaults first; one where nothing is left to search."""
        run = self._open(contender)
        if self.trials == 1 or not search.searched(run):
            return [filled(contender, contender.named, self.recipe, self.seed)]
        return search.trials(replace(run, tune=self.trials))

    def said(self, contender: Contender, tasks: Sequence[Task]) -> dict[str, Any]:
        """The recipe, and what is searched."""
        names = search.searched(self._open(contender)) if self.trials > 1 else []
        count = len(self.settings(contender, tasks[0]))
        return {
            "recipe": recipe_json(contender.method.recipe(self.recipe)),
            "knobs": vars(contender.config),
            "tried": f"{count} settings of {', '.join(names)}" if names else "nothing",
        }

    def _open(self, contender: Contender) -> RunSpec:
        data = DataSpec(seed=self.seed)
        return RunSpec(contender.method.name, contender.named, data, recipe=self.recipe)
