"""What a benchmark's runs say: each task, group means, mean of groups, mean of tasks, mean rank.

A mean is there only where every task of it is. The interval of an accuracy is Wilson's, of the test
images; that of a mean combines them as independent. It says nothing of other training images.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import mean, stdev
from typing import Any

from ...contracts.accuracy import interval_of, mean_interval
from ...studio.comparison.ranks import mean_ranks
from .protocol import Score
from .sweep import BEST_STATE
from .task import Benchmark

Interval = tuple[float, float]


@dataclass(frozen=True)
class Figure:
    """An accuracy, or a mean of several, as a fraction of 1."""

    accuracy: float
    interval: Interval
    """Where it lies with 95 % confidence, as far as test images tell."""
    spread: float | None = None
    """Sample deviation over the seeds; None for one seed."""

    def to_json(self) -> dict[str, Any]:
        return {"accuracy": self.accuracy, "interval": self.interval, "std": self.spread}


@dataclass(frozen=True)
class Row:
    """A method on a benchmark."""

    method: str
    tasks: Mapping[str, Figure]
    """Those that were measured with every seed."""
    groups: Mapping[str, Figure]
    group_mean: Figure | None
    """The mean of the group means."""
    task_mean: Figure | None
    """The mean of all tasks."""
    rank: float | None
    """Its mean rank among the methods of the table over the tasks that all have; 1 is best."""
    trainable: float | None
    trials: int
    error: str = ""

    def to_json(self) -> dict[str, Any]:
        figures = {
            "tasks": {name: figure.to_json() for name, figure in self.tasks.items()},
            "groups": {name: figure.to_json() for name, figure in self.groups.items()},
            "group_mean": self.group_mean.to_json() if self.group_mean else None,
            "task_mean": self.task_mean.to_json() if self.task_mean else None,
        }
        plain = {name: getattr(self, name) for name in ("rank", "trainable", "trials", "error")}
        return {"method": self.method, **figures, **plain}


def rows(scores: Sequence[Score], benchmark: Benchmark) -> list[Row]:
    """One row for each method, in the order they come."""
    methods = dict.fromkeys(score.method for score in scores)
    figures = {
        method: {s.task: _figure(s) for s in scores if s.method == method and _is_whole(s)}
        for method in methods
    }
    ranks = mean_ranks({m: {t: f.accuracy for t, f in own.items()} for m, own in figures.items()})
    return [_row(method, scores, figures[method], ranks, benchmark) for method in methods]


def _row(
    method: str,
    scores: Sequence[Score],
    figures: Mapping[str, Figure],
    ranks: Mapping[str, float],
    benchmark: Benchmark,
) -> Row:
    own = [score for score in scores if score.method == method]
    groups = {}
    for group, names in benchmark.groups.items():
        if all(name in figures for name in names):
            groups[group] = averaged([figures[name] for name in names])
    whole = len(groups) == len(benchmark.groups)
    errors = [score.error for score in own if score.error]
    trained = [line["trainable"] for s in own for line in s.lines if "error" not in line]
    return Row(
        method=method,
        tasks=figures,
        groups=groups,
        group_mean=averaged(list(groups.values())) if whole else None,
        task_mean=averaged(list(figures.values())) if whole else None,
        rank=ranks.get(method),
        trainable=mean(trained) if trained else None,
        trials=max(score.trials for score in own),
        error=errors[0] if errors else "",
    )


def _is_whole(score: Score) -> bool:
    return bool(score.lines) and not score.error


def _figure(score: Score) -> Figure:
    accuracies = score.accuracies
    accuracy = mean(accuracies)
    spread = stdev(accuracies) if len(accuracies) > 1 else None
    return Figure(accuracy, interval_of(accuracy, score.images), spread)


def added_by_test(scores: Sequence[Score]) -> list[str]:
    """For each method, what choosing the best state by test images would have added, in words.

    Most papers print that. It is a choice by what is measured, so it stands in no table.
    """
    words = []
    for method in dict.fromkeys(score.method for score in scores):
        lines = [line for score in scores if score.method == method for line in score.lines]
        known = [line[BEST_STATE] - line["test_accuracy"] for line in lines if BEST_STATE in line]
        if known:
            words.append(
                f"Choosing the best epoch by test images would have added {100 * mean(known):.1f} "
                f"points to {method}, mean of {len(known)} of {len(lines)} tested runs. No result."
            )
    return words


def averaged(figures: Sequence[Figure]) -> Figure:
    """The mean of figures whose errors are independent."""
    return Figure(mean(f.accuracy for f in figures), mean_interval([f.interval for f in figures]))
