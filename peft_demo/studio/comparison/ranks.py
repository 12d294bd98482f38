"""Mean ranks of methods over tasks, and how far apart they must lie to tell two methods apart.

The tasks of a comparison are its datasets with each seed.

Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006.
"""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from math import inf, sqrt
from statistics import mean
from typing import TypeVar

from .results import Line, is_tested

Task = TypeVar("Task", bound=Hashable)

LEVEL = 0.05


def by_task(lines: Sequence[Line]) -> dict[str, dict[tuple[str, int], float]]:
    """Method → (dataset, seed) → test accuracy, of the runs that ended well; {} for one dataset,
    where the order of the accuracies says it all."""
    tested = [line for line in lines if is_tested(line)]
    found: dict[str, dict[tuple[str, int], float]] = {}
    if len({line["data"] for line in tested}) > 1:
        for line in tested:
            task = line["data"], line["seed"]
            found.setdefault(line["method"], {})[task] = line["test_accuracy"]
    return found


def legend(lines: Sequence[Line]) -> str:
    """What the mean ranks of a comparison tell; "" where there are none."""
    accuracies = by_task(lines)
    tasks = len(shared_tasks(accuracies))
    if not tasks:
        return ""
    apart = critical_difference(len(accuracies), tasks)
    return (
        f"Mean ranks are over the {tasks} pairs of dataset and seed that all have; those that lie "
        f"less than {apart:.1f} apart cannot be told apart (Nemenyi's test at 5 %, each pair "
        "counted as a task of its own)."
    )


def shared_tasks(accuracies: Mapping[str, Mapping[Task, float]]) -> set[Task]:
    """Those that every method has; none where there are not two methods."""
    if len(accuracies) < 2:
        return set()
    return set.intersection(*(set(tasks) for tasks in accuracies.values()))


def mean_ranks(accuracies: Mapping[str, Mapping[Task, float]]) -> dict[str, float]:
    """Method → its mean rank over the tasks that all methods have; equal ones share their ranks.

    {} where there are not two methods or no such task.
    """
    shared = shared_tasks(accuracies)
    if not shared:
        return {}
    return {
        method: mean(_rank(own[task], (o[task] for o in accuracies.values())) for task in shared)
        for method, own in accuracies.items()
    }


def critical_difference(methods: int, tasks: int) -> float:
    """Mean ranks over so many tasks that lie further apart differ, by Nemenyi's test at 5 %:

        CD = q √(k (k + 1) / 6 N),

    with k methods, N tasks and q the studentised range of infinite degrees of freedom over √2.
    """
    from scipy.stats import studentized_range

    q = float(studentized_range.ppf(1 - LEVEL, methods, inf)) / sqrt(2)
    return q * sqrt(methods * (methods + 1) / (6 * tasks))


def _rank(value: float, values: Iterable[float]) -> float:
    """1 and the number of larger ones, and half of the others that are equal."""
    every = list(values)
    larger = sum(other > value for other in every)
    equal = sum(other == value for other in every)
    return 1 + larger + (equal - 1) / 2
