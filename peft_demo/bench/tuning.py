"""Learning rates, and knobs that the papers search, chosen on validation images.

Each call tries one dataset with one backbone and adds its lines to the results file. The table is
about all the sets in that file that were tried with the same recipe, so a choice has to do well on
each; a person copies it into the method's record. Test images play no part: they are not even made
tensors.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from math import log
from pathlib import Path
from statistics import mean
from typing import Any

from ..contracts.errors import PeftDemoError
from ..contracts.specs import RATES, DataSpec, Recipe
from ..studio.comparison.contenders import Contender, contender
from ..studio.comparison.results import Line
from ..vit import Backbone
from .sweep import Job, job

FACTORS = (1 / 3, 1, 3)
"""Learning rates to try, times the one in the record."""
HOME = Path(__file__).with_name("tuning.jsonl")
"""The search's results, kept in the repository."""

Choice = tuple[float, tuple[tuple[str, Any], ...]]
"""A learning rate, and (knob, value) of each knob that was searched."""
Row = dict[str, Any]
"""A method's best choice, and how good the record's own is."""


def jobs(contender: Contender, data: DataSpec, backbone: Backbone, recipe: Recipe) -> list[Job]:
    """All choices of a contender.

    Other learning rates go with its own knobs, other values of each knob with its own rate.
    """
    own = recipe.lr or contender.method.lr
    rates = [own if factor == 1 else one_digit(own * factor) for factor in FACTORS]
    choices = [(contender, rate) for rate in rates]
    choices += [(changed, own) for changed in _with_other_knobs(contender)]
    return [job(c, data, backbone, recipe, rate, _searched(c)) for c, rate in choices]


def _with_other_knobs(contender: Contender) -> list[Contender]:
    """The contender with one of the knobs that the papers search at another value."""
    own = vars(contender.config)
    method = contender.method
    changed = []
    for name, values in method.search.items():
        for value in values:
            if own[name] != value:
                config = method.config({**own, name: value})
                changed.append(Contender(contender.word, method, config))
    return changed


def _searched(contender: Contender) -> str:
    """The knobs that are searched, as the end of a job's title."""
    names = contender.method.search
    return "".join(f" {name}={getattr(contender.config, name)}" for name in names)


def one_digit(rate: float) -> float:
    """3.33e-4 → 3e-4: neighbours a third apart meet again, and a record stays readable."""
    return float(f"{rate:.0e}")


def of_recipe(lines: Iterable[Line], recipe: Recipe) -> list[Line]:
    """The lines of runs that had this recipe, whatever their learning rates."""
    wanted = _without_rates(asdict(recipe))
    return [line for line in lines if _recipe(line) == wanted]


def _recipe(line: Line) -> dict[str, Any]:
    """What a line does not say was at its default."""
    recipe = {**asdict(Recipe()), **line.get("spec", {}).get("recipe", {})}
    return _without_rates(recipe)


def _without_rates(recipe: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in recipe.items() if name not in RATES}


def summary(lines: Sequence[Line]) -> list[Row]:
    """For each contender the choice with the best mean validation accuracy over the sets.

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
    means = {
        choice: mean(accuracies.values())
        for choice, accuracies in scores.items()
        if len(accuracies) == sets
    }
    best = max(means, key=lambda choice: (means[choice], -_distance(choice, contender)))
    rate, knobs = best
    rates = sorted({rate for rate, _ in scores})
    return {
        "method": contender.word,
        "sets": sets,
        "tried": len(means),
        "lr": rate,
        **dict(knobs),
        "val_accuracy": means[best],
        "record_lr": contender.method.lr,
        "record_accuracy": means.get(_own_choice(contender)),
        "edge": len(rates) > 1 and rate in (rates[0], rates[-1]),
    }


def _scores(contender: Contender, lines: Sequence[Line]) -> dict[Choice, dict[tuple, float]]:
    """Choice → set → validation accuracy."""
    scores: dict[Choice, dict[tuple, float]] = {}
    for line in lines:
        dataset = tuple(line[name] for name in ("data", "shots", "seed", "backbone", "size"))
        scores.setdefault(_choice(contender, line), {})[dataset] = line["val_accuracy"]
    return scores


def _choice(contender: Contender, line: Line) -> Choice:
    knobs = line["spec"]["knobs"]
    return line["lr"], tuple((name, knobs.get(name)) for name in contender.method.search)


def _own_choice(contender: Contender) -> Choice:
    names = contender.method.search
    return contender.method.lr, tuple((name, getattr(contender.config, name)) for name in names)


def _distance(choice: Choice, contender: Contender) -> float:
    """How far a choice lies from the record: the rate's logarithm, and 1 for each other knob."""
    rate, knobs = choice
    changed = sum(value != getattr(contender.config, name) for name, value in knobs)
    return abs(log(rate / contender.method.lr)) + changed


HEAD = ("METHOD", "LR", "KNOBS", "VALIDATION", "IN THE RECORD", "SETS", "TRIED", "")


def printed(rows: Sequence[Row]) -> list[tuple[object, ...]]:
    """The rows as cells under `HEAD`."""
    return [_cells(row, contender(row["method"]).method.search) for row in rows]


def _cells(row: Row, search: Mapping[str, Any]) -> tuple[object, ...]:
    record = "not tried"
    if row["record_accuracy"] is not None:
        record = f"{100 * row['record_accuracy']:.1f}"
    return (
        row["method"],
        f"{row['lr']:g}",
        " ".join(f"{name}={row[name]}" for name in search),
        f"{100 * row['val_accuracy']:.1f}",
        f"{row['record_lr']:g}: {record}",
        row["sets"],
        row["tried"],
        "at the edge of what was tried" if row["edge"] else "",
    )
