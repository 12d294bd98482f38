"""Choose on validation images, train again on all, test once.

Every method tries its settings on the validation list after training on the training list. The best
of them, by the last state, are trained again on both lists together, with each seed, and the last
state is tested. Settings are chosen once, with the first seed. Where there is one setting alone,
nothing is chosen.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ...contracts.specs import RunSpec
from ...studio.comparison.contenders import Contender
from ...studio.comparison.results import Line
from ..sweep import Job
from .sweep import FieldSweep
from .task import Benchmark, Task

Settings = Callable[[Contender, Task], list[RunSpec]]
"""What a contender tries on a task: runs with nothing left open, but for their data."""


@dataclass(frozen=True)
class Score:
    """A method on a task, over its seeds."""

    method: str
    task: str
    lines: tuple[Line, ...]
    """Of the runs that were tested, one a seed."""
    trials: int
    """Settings that were tried to choose one; 0 where nothing was chosen."""
    error: str = ""

    @property
    def accuracies(self) -> list[float]:
        """Of the runs that ended well."""
        return [line["test_accuracy"] for line in self.lines if "error" not in line]

    @property
    def images(self) -> int:
        """Test images of each run."""
        return max((line.get("test_images") or 0 for line in self.lines), default=0)


@dataclass(frozen=True)
class Entry:
    """A contender on a task, and the runs it may become: nothing is left open but their data."""

    contender: Contender
    task: Task
    runs: Sequence[RunSpec]

    @property
    def trials(self) -> Sequence[RunSpec]:
        """Those that are tried to choose one."""
        return self.runs if len(self.runs) > 1 else []


class Protocol:
    """The jobs of a benchmark's entries, and what came of them."""

    def __init__(self, sweep: FieldSweep, benchmark: Benchmark, root: Path, seeds: Sequence[int]):
        self.sweep = sweep
        self.benchmark = benchmark
        self.root = root
        self.seeds = seeds

    def scores(
        self, tasks: Sequence[Task], contenders: Sequence[Contender], settings: Settings
    ) -> list[Score]:
        """Every contender on every task, task by task.

        A trial that fails is not chosen; an entry whose trials all fail has the error of the first.
        """
        pairs = [(contender, task) for task in tasks for contender in contenders]
        entries = [Entry(*pair, settings(*pair)) for pair in pairs]
        chosen = self._choose(entries)
        return self._test(entries, chosen)

    def _choose(self, entries: Sequence[Entry]) -> list[RunSpec | str]:
        """The best run of each entry by validation images, or why there is none."""
        jobs = []
        for entry in entries:
            for number, run in enumerate(entry.trials, 1):
                note = f", trial {number} of {len(entry.trials)}"
                jobs.append(self._job(entry, run, self.benchmark.tuning, self.seeds[0], note))
        lines = iter(self.sweep.do(jobs))
        return [_chosen(entry, [next(lines) for _ in entry.trials]) for entry in entries]

    def _test(self, entries: Sequence[Entry], chosen: Sequence[RunSpec | str]) -> list[Score]:
        """The chosen runs again on all training images, with each seed, and tested."""
        jobs = [
            self._job(entry, run, self.benchmark.testing, seed, ", on all")
            for entry, run in zip(entries, chosen, strict=True)
            if isinstance(run, RunSpec)
            for seed in self.seeds
        ]
        lines = iter(self.sweep.do(jobs))
        scores = []
        for entry, run in zip(entries, chosen, strict=True):
            tested = [next(lines) for _ in self.seeds] if isinstance(run, RunSpec) else []
            errors = [run] if isinstance(run, str) else [e for e in map(_error, tested) if e]
            name = entry.contender.word
            trials = len(entry.trials)
            score = Score(name, entry.task.name, tuple(tested), trials, "".join(errors[:1]))
            scores.append(score)
        return scores

    def _job(self, entry: Entry, run: RunSpec, lists: str, seed: int, note: str) -> Job:
        data = self.benchmark.spec(self.root, entry.task, lists, seed)
        backbone = self.sweep.backbone
        run = replace(run, data=data, backbone=backbone.name, size=backbone.size)
        return Job(entry.contender.word, run, f" on {entry.task.name}{note}")


def best_of(lines: Sequence[Line]) -> int | None:
    """The place of the line with the best validation accuracy, the first of equal ones; None where
    every run failed."""
    good = [place for place, line in enumerate(lines) if not _error(line)]
    return max(good, key=lambda place: lines[place]["val_accuracy"], default=None)


def _chosen(entry: Entry, lines: Sequence[Line]) -> RunSpec | str:
    if not lines:
        return entry.runs[0]
    best = best_of(lines)
    return _error(lines[0]) if best is None else entry.runs[best]


def _error(line: Line) -> str:
    return line.get("error", "")
