"""Learning rates, and knobs that the papers search, chosen on validation images.

Every method has the same number of trials, those of `train --tune` (`training.search`), and tries
the same on every set. The table is about all the sets in the results file that were tried with the
same recipe, so a choice has to do well on each; a person copies it into the method's record. Test
images play no part: they are not even made tensors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from math import log
from pathlib import Path
from statistics import mean
from typing import Any

from ..contracts.errors import PeftDemoError
from ..contracts.old_recipes import SINCE
from ..contracts.specs import RATES, DataSpec, Recipe, RunSpec
from ..methods import Method
from ..studio.comparison.contenders import Contender, contender
from ..studio.comparison.results import Line
from ..training import search
from ..vit import Backbone
from .sweep import Job, job, tuned_job

HOME = Path(__file__).with_name("tuning.jsonl")
"""The search's results, kept in the repository."""

Choice = tuple[tuple[str, Any], ...]
"""(name, value) of each learning rate and knob that was searched."""
Row = dict[str, Any]
"""A method's best choice, and how good the record's own is."""


def jobs(
    contenders: Sequence[Contender],
    data: Sequence[DataSpec],
    backbone: Backbone,
    recipe: Recipe,
    trials: int,
) -> list[Job]:
    """So many trials of every contender on every dataset; those that share images come together.

    A contender of which nothing is left to search runs once.
    """
    tried = [
        Job(contender.word, trial, _note(trial, contender.method))
        for contender in contenders
        for trial in _trials(contender, backbone, recipe, trials)
    ]
    return [replace(one, run=replace(one.run, data=spec)) for spec in data for one in tried]


def _trials(contender: Contender, backbone: Backbone, recipe: Recipe, trials: int) -> list[RunSpec]:
    """The same for every dataset and seed; one trial is the record's own."""
    if trials == 1:
        return [job(contender, DataSpec(), backbone, recipe).run]
    run = tuned_job(contender, DataSpec(), backbone, recipe, trials).run
    return search.trials(run) if run.tune else [run]


def _note(run: RunSpec, method: Method) -> str:
    """What is searched beside the rate, as the end of a job's title."""
    names = _searched(method)[1:]
    return f" {search.settings(run, names)}" if names else ""


def _searched(method: Method) -> list[str]:
    """What a search for a method may change; the learning rate comes first."""
    return search.searched(RunSpec(method.name))


def of_recipe(lines: Iterable[Line], recipe: Recipe) -> list[Line]:
    """The lines of runs that had this recipe, whatever their learning rates."""
    wanted = _without_rates(asdict(recipe))
    return [line for line in lines if _recipe(line) == wanted]


def _recipe(line: Line) -> dict[str, Any]:
    """What a line does not say was at its default, or as runs were before it could be said."""
    recipe = {**asdict(Recipe()), **SINCE, **line.get("spec", {}).get("recipe", {})}
    return _without_rates(recipe)


def _without_rates(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recipe.items() if name not in RATES}


def summary(lines: Sequence[Line]) -> list[Row]:
    """For each contender the choice that loses least, on average over the sets, to the best that
    was tried on each.

    Ties go to the choice next to the record's own. Choices that were not tried on every set stay
    out; they still tell whether the best lies at the edge.
    """
    good = [line for line in lines if line.get("val_accuracy") is not None]
    rows = []
    for word in dict.fromkeys(line["method"] for line in good):
        own_lines = [line for line in good if line["method"] == word]
        if contender := _known(word):
            rows.append(_row(contender, own_lines))
    return rows


def _known(word: str) -> Contender | None:
    """The contender of a word in the file; None where such a method or knob is gone."""
    try:
        return contender(word)
    except PeftDemoError:
        return None


def _row(contender: Contender, lines: Sequence[Line]) -> Row:
    scores = _scores(contender, lines)
    sets = max(len(accuracies) for accuracies in scores.values())
    complete = {
        choice: list(accuracies.values())
        for choice, accuracies in sorted(scores.items(), key=repr)
        if len(accuracies) == sets
    }
    regrets = _regrets(complete)
    own = _own_choice(contender)
    best = min(regrets, key=lambda choice: (mean(regrets[choice]), _distance(choice, own)))
    return {
        "method": contender.word,
        "sets": sets,
        "tried": len(complete),
        **dict(best),
        "val_accuracy": mean(complete[best]),
        "regret": mean(regrets[best]),
        "worst_regret": max(regrets[best]),
        "record_lr": contender.method.lr,
        "record_accuracy": mean(complete[own]) if own in complete else None,
        "edge": [name for name in RATES if _at_the_edge(name, best, scores)],
    }


def _scores(contender: Contender, lines: Sequence[Line]) -> dict[Choice, dict[tuple, float]]:
    """Choice → set → validation accuracy; sets in one order."""
    scores: dict[Choice, dict[tuple, float]] = {}
    for line in sorted(lines, key=_dataset):
        scores.setdefault(_choice(contender, line), {})[_dataset(line)] = line["val_accuracy"]
    return scores


def _dataset(line: Line) -> tuple:
    return tuple(line[name] for name in ("data", "shots", "seed", "backbone", "size"))


def _regrets(complete: Mapping[Choice, Sequence[float]]) -> dict[Choice, list[float]]:
    """What a choice loses on each set to the best that was tried there."""
    best = [max(accuracies) for accuracies in zip(*complete.values(), strict=True)]
    return {
        choice: [most - own for most, own in zip(best, accuracies, strict=True)]
        for choice, accuracies in complete.items()
    }


def _choice(contender: Contender, line: Line) -> Choice:
    values = {**line["spec"]["knobs"], **line["spec"].get("recipe", {}), "lr": line["lr"]}
    return tuple((name, values.get(name)) for name in _searched(contender.method))


def _own_choice(contender: Contender) -> Choice:
    values = {**vars(contender.config), **asdict(contender.method.recipe(Recipe()))}
    return tuple((name, values[name]) for name in _searched(contender.method))


def _at_the_edge(name: str, best: Choice, scores: Iterable[Choice]) -> bool:
    """Whether the best value of a rate is the smallest or the largest of those tried."""
    rates = (dict(choice).get(name) for choice in scores)
    tried = {rate for rate in rates if rate is not None}
    return len(tried) > 1 and dict(best).get(name) in (min(tried), max(tried))


def _distance(choice: Choice, own: Choice) -> float:
    """How far a choice lies from the record: the rates' logarithms, and 1 for each other knob."""
    return sum(
        abs(log(value / mine)) if name in RATES and value else value != mine
        for (name, value), (_, mine) in zip(choice, own, strict=True)
    )


HEAD = ("METHOD", "SETTINGS", "VALIDATION", "REGRET", "WORST", "IN THE RECORD", "SETS", "TRIED", "")


def printed(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """The rows as cells under `HEAD`."""
    return [_cells(row, _searched(contender(row["method"]).method)) for row in rows]


def _cells(row: Row, searched: Sequence[str]) -> tuple[object, ...]:
    record = "not tried"
    if row["record_accuracy"] is not None:
        record = f"{100 * row['record_accuracy']:.1f}"
    edges = " and ".join(row["edge"])
    return (
        row["method"],
        ", ".join(f"{name} {search.word(row[name])}" for name in searched),
        f"{100 * row['val_accuracy']:.1f}",
        f"{100 * row['regret']:.1f}",
        f"{100 * row['worst_regret']:.1f}",
        f"{row['record_lr']:g}: {record}",
        row["sets"],
        row["tried"],
        f"{edges} at the edge of what was tried" if edges else "",
    )
