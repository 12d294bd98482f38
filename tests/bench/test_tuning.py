"""Learning rates: what is tried, and which is best."""

import json
from collections import Counter
from dataclasses import asdict

import pytest

from peft_demo.bench import tuning
from peft_demo.contracts.specs import DataSpec, Recipe
from peft_demo.methods import find_method
from peft_demo.studio.comparison.contenders import contenders


def line(name, lr, accuracy, data="digits", **knobs) -> dict:
    place = {"data": data, "shots": 16, "seed": 0, "backbone": "b", "size": 112}
    return {
        "method": name,
        "lr": lr,
        "val_accuracy": accuracy,
        "spec": {"knobs": knobs, "recipe": {"head_lr": 1e-3}},
    } | place


def test_validation_alone_is_looked_at_and_the_table_needs_no_data(typed, tmp_path):
    file = tmp_path / "tuning.jsonl"
    tune = ["bench", "tune", "--methods", "linear", "--results", file]
    sets = ["--data", "digits", "--data", "shapes", "--shots", 2, "--size", 32, "--epochs", 1]
    code, out, err = typed(*tune, *sets, "--trials", 3, "--json")
    assert code == 0, err
    lines = [json.loads(text) for text in file.read_text().splitlines()]
    rates = [factor * find_method("linear").lr for factor in (1 / 3, 1, 3)]
    for data in ("digits", "shapes"):
        own = [line["lr"] for line in lines if line["data"] == data]
        assert sorted(own) == pytest.approx(rates, rel=0.2)
    assert all(line["test_images"] == 0 and line["test_accuracy"] is None for line in lines)
    (row,) = json.loads(out)
    assert (row["tried"], row["sets"]) == (3, 2)
    assert 0 <= row["regret"] <= row["worst_regret"]
    assert "linear" in typed(*tune, "--epochs", 1)[1]


@pytest.mark.parametrize("trials", [1, 5])
def test_every_method_has_the_same_trials_on_every_set(tiny, trials):
    tried = contenders("linear,full,lora,bi_lora:head_bits=1")
    sets = [DataSpec(name="digits"), DataSpec(name="shapes"), DataSpec(name="shapes", seed=1)]
    jobs = tuning.jobs(tried, sets, tiny, Recipe(), trials)
    for spec in sets:
        assert Counter(job.word for job in jobs if job.run.data == spec) == {
            contender.word: trials for contender in tried
        }
    for contender in tried:
        own = [job.run for job in jobs if job.word == contender.word]
        settings = [
            {json.dumps([run.knobs, asdict(run.recipe)]) for run in own if run.data == spec}
            for spec in sets
        ]
        assert settings[0] == settings[1] == settings[2]
    assert all(job.run.knobs["head_bits"] == 1 for job in jobs if job.run.method == "bi_lora")
    assert all(job.run.tune == 0 and job.run.backbone == tiny.name for job in jobs)


def test_what_leaves_nothing_to_search_runs_once(tiny):
    jobs = tuning.jobs(contenders("linear"), [DataSpec()], tiny, Recipe(lr=0.5), 4)
    assert [job.run.recipe.lr for job in jobs] == [0.5]


def test_the_best_is_best_over_all_sets():
    own = find_method("ssf").lr
    scores = {own / 3: (0.5, 0.5), own: (0.6, 0.6), 3 * own: (0.9, 0.2)}
    lines = [line("ssf", lr, first, "x") for lr, (first, _) in scores.items()]
    lines += [line("ssf", lr, second, "y") for lr, (_, second) in scores.items()]
    lines += [
        line("ssf", 9 * own, 1.0, "x"),
        line("gone", 1e-3, 1.0),
        {"id": "f", "method": "ssf", "error": "no."},
    ]
    (row,) = tuning.summary(lines)
    assert (row["lr"], row["sets"], row["tried"], row["edge"]) == (own, 2, 3, [])
    assert row["regret"] == pytest.approx(0.15) and row["worst_regret"] == pytest.approx(0.3)
    assert row["record_accuracy"] == row["val_accuracy"] == pytest.approx(0.6)


def test_ties_go_to_the_record_and_an_edge_is_told():
    own = find_method("ssf").lr
    assert tuning.summary([line("ssf", lr, 0.5) for lr in (own / 3, own, own * 3)])[0]["lr"] == own
    (row,) = tuning.summary([line("ssf", own, 0.5), line("ssf", 3 * own, 0.6)])
    assert row["edge"] == ["lr"] and "lr at the edge" in tuning.printed([row])[0][-1]


def test_a_knob_that_was_searched_is_part_of_the_choice():
    accuracies = {0.1: 0.0, 1.0: 0.1, 10.0: 0.2}
    lines = [line("bi_lora", 1e-3, accuracy, scale=s) for s, accuracy in accuracies.items()]
    (row,) = tuning.summary(lines)
    assert row["scale"] == 10.0 and "scale 10" in tuning.printed([row])[0][1]


def test_runs_of_another_recipe_are_no_part_of_the_table():
    """What was tried with an earlier recipe: its flags show it."""
    lines = [line("ssf", 1e-2, 0.5), line("ssf", 3e-3, 0.6)]
    for one, batch in zip(lines, (16, 32), strict=True):
        one["spec"]["recipe"] = {"lr": one["lr"], "batch": batch}
    assert tuning.of_recipe(lines, Recipe(batch=16, keep="best")) == lines[:1]
    assert tuning.of_recipe(lines, Recipe(batch=16)) == [], "a line of before kept the best state"


def test_the_shipped_results_are_shown_with_their_recipe(typed):
    earlier = ["--batch", 32, "--smoothing", 0, "--augment", "none", "--keep", "best"]
    assert "linear" in typed("bench", "tune", *earlier)[1]
    assert "vera" in typed("bench", "tune", "--keep", "best")[1]
    today = typed("bench", "tune")[1]
    assert "linear" in today and "vera" not in today
