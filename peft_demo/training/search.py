"""Which settings a tuned run tries: its own, a third and three times its rate, then random ones.

Bergstra & Bengio, "Random Search for Hyper-Parameter Optimization", JMLR 2012.

Searched are the learning rates and the knobs that the method's record names (`Method.search`). The
rate decides most, so it is tried widely first. The defaults were chosen over many sets and few
images choose here, so random trials lie around them: a rate is drawn in its logarithm, the nearer
to the default the likelier, and a knob keeps its default in at least half of the trials. What a
person set by hand stays as it is. The same run gives the same trials, and a longer search begins
with those of a shorter one.
"""

from collections.abc import Mapping
from dataclasses import replace
from random import Random
from typing import Any

from ..contracts.errors import BadValue
from ..contracts.specs import RATES, RunSpec
from ..methods import Method, find_method

FACTORS = (1 / 3, 3)
"""The first trials have the default rate times these."""
SPREAD = 5.0
"""A rate is drawn from the default divided by this to the default times this."""
MOVING = 0.5
"""How often a knob is drawn from its values, and does not keep its default."""
DRAWS = 50
"""Draws for each trial wanted, before it is clear that there are no more different ones."""

Settings = dict[str, Any]
"""Values by the names of what is searched: {"lr": 0.001, "scale": 10.0}."""


def trials(run: RunSpec) -> list[RunSpec]:
    """At most `run.tune` runs, nothing in them left open; the first is the run as it stands.

    There are fewer where so many different ones do not exist. `BadValue` says that nothing is left
    to search.
    """
    method = find_method(run.method)
    if not searched(run):
        raise BadValue(
            f"there is nothing to tune: all that is searched for {run.method} is set already.",
            "Leave a learning rate or a knob open.",
        )
    chance = Random(run.seed)
    found = [_with(run, method, drawn) for drawn in ({}, *_other_rates(run, method))][: run.tune]
    for _ in range(DRAWS * run.tune):
        if len(found) == run.tune:
            break
        trial = _with(run, method, _drawn(run, method, chance))
        if trial not in found:
            found.append(trial)
    return found


def searched(run: RunSpec) -> list[str]:
    """The names of what a search for this run may change."""
    method = find_method(run.method)
    return [*_open_rates(run, method), *_open_knobs(run, method)]


def settings(run: RunSpec, names: list[str]) -> str:
    """What a trial has of these names, as a person reads it: "lr 0.001, scale 10"."""
    values = {**run.knobs, **vars(run.recipe)}
    return ", ".join(f"{name} {word(values[name])}" for name in names)


def _open_rates(run: RunSpec, method: Method) -> dict[str, float]:
    """Learning rates that nobody has set, at their defaults."""
    defaults = method.recipe(run.recipe)
    rates = {}
    if not run.recipe.lr:
        rates["lr"] = defaults.lr
    if not run.recipe.head_lr and method.head_lr:  # else the head's rate is that of all
        rates["head_lr"] = defaults.head_lr
    return rates


def _open_knobs(run: RunSpec, method: Method) -> Mapping[str, tuple]:
    """Knobs that nobody has set, with the values to try."""
    return {name: values for name, values in method.search.items() if name not in run.knobs}


def _other_rates(run: RunSpec, method: Method) -> list[Settings]:
    """The rate in wide steps and all else as it stands."""
    if run.recipe.lr:
        return []
    return [{"lr": one_digit(method.lr * factor)} for factor in FACTORS]


def one_digit(rate: float) -> float:
    """3.33e-4 → 3e-4: neighbours a third apart meet again, and a record stays readable."""
    return float(f"{rate:.0e}")


def _drawn(run: RunSpec, method: Method, chance: Random) -> Settings:
    """Random values of all that is searched."""
    drawn: Settings = {}
    for name, default in _open_rates(run, method).items():
        factor = SPREAD ** (chance.random() - chance.random())
        drawn[name] = float(f"{default * factor:.1e}")
    for name, values in _open_knobs(run, method).items():
        moves = chance.random() < MOVING
        place = int(chance.random() * len(values))
        if moves:
            drawn[name] = values[place]
    return drawn


def _with(run: RunSpec, method: Method, drawn: Settings) -> RunSpec:
    """The run with these settings and nothing left open; it searches no more."""
    rates = {name: value for name, value in drawn.items() if name in RATES}
    knobs = {name: value for name, value in drawn.items() if name not in RATES}
    recipe = method.recipe(replace(run.recipe, **rates))
    config = method.config({**run.knobs, **knobs})
    return replace(run, tune=0, recipe=recipe, knobs=vars(config))


def word(value: Any) -> str:
    """A value as a person reads it."""
    return f"{value:g}" if isinstance(value, float) else str(value)
