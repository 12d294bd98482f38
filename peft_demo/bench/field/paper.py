"""The protocol `paper`: each method by its authors' own recipe (`presets.py`).

What they searched for each task and did not print is searched here, on validation images. The last
state is tested, never the epoch that was best on the test images.
"""

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from ...contracts.errors import UnknownName
from ...contracts.knobs import build
from ...contracts.specs import Recipe, RunSpec
from ...studio.comparison.contenders import Contender
from .plan import filled
from .presets import PRESETS, Preset, Values
from .task import Benchmark, Task


class Paper:
    """A `Plan`: the authors' settings; `trials` of them at most where they searched (0: all)."""

    def __init__(self, benchmark: Benchmark, flags: Mapping[str, str], trials: int, seed: int):
        self.benchmark = benchmark
        self.flags = flags
        self.trials = trials
        self.seed = seed

    def settings(self, contender: Contender, task: Task) -> list[RunSpec]:
        """The runs of a task; `UnknownName` for a method whose authors' recipe is not known."""
        values = self._preset(contender).settings(task.name)
        if 0 < self.trials < len(values):
            values = Random(self.seed).sample(values, self.trials)
        return [self._run(contender, one) for one in values]

    def said(self, contender: Contender, tasks: Sequence[Task]) -> dict[str, Any]:
        """The recipe, what depends on the task, what is searched, what is not as in the paper."""
        preset = self._preset(contender)
        run = self._run(contender, preset.values)
        own = {**preset.values.recipe, **self.flags}
        whole = len(preset.settings(tasks[0].name))
        count = len(self.settings(contender, tasks[0]))
        return {
            "read in": preset.source,
            "recipe": {name: getattr(run.recipe, name) for name in own},
            "knobs": dict(run.knobs),
            "by task": {t.name: self._by_task(preset, contender, t) for t in tasks},
            "tried": self._tried(preset, whole, count),
            "differs": list(preset.deviations),
        }

    def _by_task(self, preset: Preset, contender: Contender, task: Task) -> dict[str, Any]:
        own = preset.tasks.get(task.name, Values())
        fixed = {*self.flags, *contender.named}
        return {n: v for n, v in {**own.recipe, **own.knobs}.items() if n not in fixed}

    def _tried(self, preset: Preset, whole: int, count: int) -> str:
        if whole == 1:
            return "nothing"
        grid = {**preset.recipe_grid, **preset.knob_grid}
        searched = "; ".join(f"{name} {_listed(values)}" for name, values in grid.items())
        drawn = f"{count} of {whole} settings" if count < whole else f"{whole} settings"
        return f"{drawn}: {searched}"

    def _preset(self, contender: Contender) -> Preset:
        known = PRESETS[self.benchmark.name]
        if contender.method.name not in known:
            raise UnknownName("recipe of the authors for", contender.method.name, known)
        return known[contender.method.name]

    def _run(self, contender: Contender, values: Values) -> RunSpec:
        """One rate is that of all parameters, as in the authors' code."""
        plain = {**values.recipe, **self.flags}
        if "lr" in plain:
            plain.setdefault("head_lr", plain["lr"])
        recipe = build(Recipe, plain)
        return filled(contender, {**values.knobs, **contender.named}, recipe, self.seed)


def _listed(values: Sequence[Any]) -> str:
    return ", ".join(f"{value:g}" for value in values)
