"""What a search tries: the run as it stands first, the same each time, and nothing set by hand."""

from dataclasses import replace

import pytest

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.methods import find_method, methods
from peft_demo.training.search import SPREAD, searched, settings, trials

RUN = RunSpec("lora", {"rank": 4}, tune=6)


def within(rate: float, default: float) -> bool:
    return default / SPREAD <= rate <= default * SPREAD


def rates(found: list[RunSpec]) -> list[float]:
    return [trial.recipe.lr for trial in found]


@pytest.mark.parametrize("name", sorted(methods()))
def test_the_first_trial_is_the_run_as_it_stands_and_none_is_tried_twice(name):
    run = RunSpec(name, tune=5)
    method = find_method(name)
    first, *others = trials(run)
    assert first.recipe == method.recipe(Recipe()) and first.knobs == vars(method.config())
    assert len(others) == 4 and all(trial not in [first] for trial in others)
    assert len({settings(trial, searched(run)) for trial in [first, *others]}) == 5
    for trial in [first, *others]:
        assert trial.tune == 0 and within(trial.recipe.lr, method.lr)
        assert within(trial.recipe.head_lr, method.head_lr or trial.recipe.lr)
        assert RunSpec.from_json(trial.to_json()) == trial
        assert all(trial.knobs[knob] in values for knob, values in method.search.items())


def test_the_same_run_tries_the_same_and_a_longer_search_goes_on():
    assert trials(RUN) == trials(RUN)
    assert trials(replace(RUN, tune=9))[:6] == trials(RUN)
    assert rates(trials(replace(RUN, data=DataSpec(seed=1))))[1:] != rates(trials(RUN))[1:]


def test_rates_in_wide_steps_come_first_and_all_else_stands():
    own = find_method("lora").lr
    first = trials(replace(RUN, tune=3))
    assert rates(first) == pytest.approx([own, own / 3, own * 3], rel=0.2)
    assert {(trial.knobs["scale"], trial.recipe.head_lr) for trial in first} == {(10.0, 1e-3)}


def test_what_was_set_by_hand_stays():
    by_hand = replace(RUN, knobs={"rank": 4, "scale": 3.0}, recipe=Recipe(lr=0.5, epochs=3))
    for trial in trials(replace(by_hand, recipe=Recipe(epochs=3))):
        assert trial.knobs["scale"] == 3.0 and trial.knobs["rank"] == 4
        assert trial.recipe.epochs == 3
    assert set(rates(trials(replace(RUN, recipe=Recipe(lr=0.5))))) == {0.5}


def test_there_are_no_more_trials_than_different_ones():
    run = RunSpec("lora", recipe=Recipe(lr=1e-3, head_lr=1e-3), tune=20)
    assert sorted(trial.knobs["scale"] for trial in trials(run)) == [0.1, 1.0, 10.0]


def test_where_nothing_is_open_it_says_so():
    run = RunSpec("linear", recipe=Recipe(lr=1e-3), tune=3)
    with pytest.raises(BadValue, match="nothing to tune"):
        trials(run)


def test_settings_read_well():
    trial = trials(RUN)[0]
    assert settings(trial, ["lr", "scale"]) == "lr 0.001, scale 10"
