"""Learning rates, and knobs that the papers search, chosen on validation images. A person copies them into the record.

Every call tries one dataset with one backbone and adds its lines to the results file; the table is about all the sets
in that file, so a choice has to do well on each. Test images play no part: they are not even made tensors.
"""

from collections.abc import Mapping, Sequence
from math import log
from pathlib import Path
from statistics import mean

from ..contracts.errors import PeftDemoError
from ..contracts.specs import DataSpec, Recipe
from ..vit import Backbone
from .contenders import Contender, contenders
from .sweep import Job, job

FACTORS = (1 / 3, 1, 3)
"""Learning rates to try, times the one in the record."""
HOME = Path(__file__).with_name("tuning.jsonl")
"""The search's results, kept in the repository."""

Choice = tuple[float, tuple]
"""A learning rate, and (knob, value) of each knob that was searched."""


def jobs(entrant: Contender, data: DataSpec, backbone: Backbone, recipe: Recipe) -> list[Job]:
    """All choices of an entrant: learning rates with its own knobs, and its own rate with other values of each knob."""
    own = recipe.lr or entrant.method.lr
    choices = [(entrant, own if factor == 1 else one_digit(own * factor)) for factor in FACTORS]
    choices += [(other, own) for other in _others(entrant)]
    return [job(e, data, backbone, recipe, lr, _named(e)) for e, lr in choices]


def _others(entrant: Contender) -> list[Contender]:
    """The entrant with one of the knobs that the papers search at another value."""
    here = vars(entrant.config)
    searched = [{name: value} for name, values in entrant.method.search.items() for value in values]
    changed = [here | one for one in searched if one.items() - here.items()]
    return [
        Contender(entrant.word, entrant.method, entrant.method.config(knobs)) for knobs in changed
    ]


def _named(entrant: Contender) -> str:
    return "".join(f" {name}={getattr(entrant.config, name)}" for name in entrant.method.search)


def one_digit(rate: float) -> float:
    """3.33e-4 → 3e-4: neighbours a third apart meet again, and a record stays readable."""
    return float(f"{rate:.0e}")


def summary(lines: Sequence[dict]) -> list[dict]:
    """For each entrant the choice with the best mean validation accuracy over the sets; ties to the record's own.

    Choices that were not tried on every set stay out; they still tell whether the best lies at the edge.
    """
    good = [line for line in lines if line.get("val_accuracy") is not None]
    return [_row(word, [line for line in good if line["method"] == word]) for word in _words(good)]


def _words(lines: Sequence[dict]) -> list[str]:
    """Those in the file that still mean something here."""
    return [word for word in dict.fromkeys(line["method"] for line in lines) if _entrant(word)]


def _entrant(word: str) -> Contender | None:
    try:
        return contenders(word)[0]
    except PeftDemoError:
        return None


def _row(word: str, lines: Sequence[dict]) -> dict:
    entrant = _entrant(word)
    scores = _scores(lines)
    sets = max(map(len, scores.values()))
    whole = {choice: mean(found.values()) for choice, found in scores.items() if len(found) == sets}
    best = max(whole, key=lambda choice: (whole[choice], -_distance(choice, entrant)))
    rates = sorted({rate for rate, _ in scores})
    row = {"method": word, "sets": sets, "tried": len(whole), "lr": best[0], **dict(best[1])}
    own = (entrant.method.lr, tuple((k, getattr(entrant.config, k)) for k in entrant.method.search))
    row |= {
        "val_accuracy": whole[best],
        "record_lr": entrant.method.lr,
        "record_accuracy": whole.get(own),
    }
    return row | {"edge": len(rates) > 1 and best[0] in (rates[0], rates[-1])}


def _scores(lines: Sequence[dict]) -> dict[Choice, dict[tuple, float]]:
    """Choice → set → validation accuracy."""
    scores = {}
    for line in lines:
        place = tuple(line[name] for name in ("data", "shots", "seed", "backbone", "size"))
        scores.setdefault(_choice(line), {})[place] = line["val_accuracy"]
    return scores


def _choice(line: Mapping) -> Choice:
    search = contenders(line["method"])[0].method.search
    return line["lr"], tuple((name, line["spec"]["knobs"].get(name)) for name in search)


def _distance(choice: Choice, entrant: Contender) -> float:
    """How far a choice lies from the record."""
    rate, knobs = choice
    return abs(log(rate / entrant.method.lr)) + sum(
        value != getattr(entrant.config, name) for name, value in knobs
    )


HEAD = ("METHOD", "LR", "KNOBS", "VALIDATION", "IN THE RECORD", "SETS", "TRIED", "")


def printed(rows: Sequence[dict]) -> list[tuple]:
    """The rows as cells under `HEAD`."""
    return [_cells(row, contenders(row["method"])[0].method.search) for row in rows]


def _cells(row: dict, search: Mapping) -> tuple:
    knobs = " ".join(f"{name}={row[name]}" for name in search)
    record = (
        "not tried" if row["record_accuracy"] is None else f"{100 * row['record_accuracy']:.1f}"
    )
    note = "at the edge of what was tried" if row["edge"] else ""
    best = f"{row['lr']:g}"
    own = f"{row['record_lr']:g}: {record}"
    return (
        row["method"],
        best,
        knobs,
        f"{100 * row['val_accuracy']:.1f}",
        own,
        row["sets"],
        row["tried"],
        note,
    )
