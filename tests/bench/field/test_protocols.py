"""What a protocol tries, and what the recipes of the authors say."""

import json

import pytest

from peft_demo.bench.field.fgvc import FGVC
from peft_demo.bench.field.plan import find_plan
from peft_demo.bench.field.presets import PRESETS
from peft_demo.bench.field.protocol import best_of
from peft_demo.bench.field.published import FIGURES
from peft_demo.bench.field.vtab import VTAB
from peft_demo.contracts.errors import UnknownName
from peft_demo.methods import find_method
from peft_demo.studio.comparison.contenders import contender

TASKS = {task.name: task for task in (*VTAB.tasks, *FGVC.tasks)}


def settings(protocol, word, task, benchmark=VTAB, trials=0, **flags):
    plan = find_plan(protocol, benchmark, flags, trials, 0)
    return plan.settings(contender(word), TASKS[task])


def test_ours_tries_as_many_of_every_method_its_own_defaults_first():
    for word in ("lora", "arc", "bi_lora", "linear"):
        runs = settings("ours", word, "cifar", trials=7)
        method = find_method(word)
        assert len(runs) == 7 and len({str(run.to_json()) for run in runs}) == 7
        assert runs[0].recipe == method.recipe(runs[0].recipe)
        assert runs[0].recipe.lr == method.lr and runs[0].knobs == vars(method.config({}))
        assert all(run.recipe.keep == "last" and run.recipe.epochs == 100 for run in runs)
    assert len(settings("ours", "lora", "cifar")) == 20
    assert len(settings("ours", "lora", "cifar", trials=1)) == 1


def test_knobs_and_flags_that_a_person_sets_are_not_searched():
    runs = settings("ours", "lora:scale=1", "cifar", trials=5, epochs="3", lr="0.5")
    assert {(r.knobs["scale"], r.recipe.lr, r.recipe.epochs) for r in runs} == {(1.0, 0.5, 3)}
    (fixed,) = settings("ours", "linear", "cifar", lr="0.01")
    assert fixed.recipe.lr == 0.01


def test_the_best_trial_is_the_first_of_equal_ones_and_none_that_failed():
    lines = [{"val_accuracy": 0.5}, {"error": "no."}, {"val_accuracy": 0.7}, {"val_accuracy": 0.7}]
    assert best_of(lines) == 2 and best_of([{"error": "no."}]) is None


def one(word, task, benchmark=VTAB):
    (run,) = settings("paper", word, task, benchmark)
    return run


@pytest.mark.parametrize(
    ("task", "lr", "drop", "decay", "augment"),
    [
        ("cifar", 3e-3, 0.1, 5e-5, "none"),
        ("dtd", 2e-3, 0.1, 5e-5, "flip"),
        ("oxford_flowers102", 3e-3, 0.3, 5e-2, "none"),
        ("resisc45", 3e-3, 0.0, 5e-5, "none"),
        ("clevr_dist", 1e-2, 0.2, 5e-5, "flip"),
        ("smallnorb_azi", 5e-3, 0.3, 5e-2, "none"),
        ("smallnorb_ele", 1e-3, 0.3, 5e-5, "flip"),
    ],
)
def test_rlrr_has_the_settings_of_its_table(task, lr, drop, decay, augment):
    recipe = one("rlrr", task).recipe
    assert (recipe.lr, recipe.head_lr, recipe.stochastic_depth, recipe.weight_decay) == (
        lr,
        lr,
        drop,
        decay,
    )
    assert recipe.augment == augment and recipe.dropped == "entries"
    assert (recipe.normalisation, recipe.batch, recipe.clip) == ("half", 32, 0.0)
    assert (recipe.epochs, recipe.warmup, recipe.decayed) == (100, 0.1, "weights")


def test_flips_of_rlrr_are_on_ten_of_nineteen():
    recipes = [one("rlrr", task.name).recipe for task in VTAB.tasks]
    assert sum(recipe.augment == "flip" for recipe in recipes) == 10


def test_the_others_have_what_the_notes_say():
    arc = one("arc", "svhn").recipe
    assert (arc.lr, arc.weight_decay, arc.decayed, arc.clip) == (1e-2, 0.0, "all", 1.0)
    assert (arc.normalisation, arc.stochastic_depth, arc.head_start) == ("imagenet", 0.0, "zero")
    bit = one("bi_adaptformer", "svhn")
    assert (bit.recipe.normalisation, bit.knobs["scale"], bit.knobs["hidden"]) == ("none", 10, 32)
    assert (bit.recipe.min_lr, bit.recipe.batch, bit.recipe.stochastic_depth) == (1e-5, 64, 0.1)
    assert one("bi_lora", "kitti").knobs["scale"] == 10
    assert one("convpass", "dsprites_loc").knobs["start"] == "xavier"
    assert one("repadapter", "smallnorb_azi").knobs["scale"] == 10
    tensor_train = one("fact_tt", "clevr_dist").knobs
    assert (tensor_train["rank"], tensor_train["scale"]) == (4, 10)
    ssf = one("ssf", "clevr_dist").recipe
    assert (ssf.lr, ssf.weight_decay, ssf.stochastic_depth) == (5e-2, 5e-2, 0.1)
    aoft = one("aoft_lora", "cifar")
    assert aoft.knobs["targets"] == ("q", "v", "fc1", "fc2") and aoft.knobs["scale"]
    assert (aoft.recipe.lr, aoft.recipe.weight_decay) == (1e-2, 0.5)
    assert one("aoft_adapter", "kitti").knobs["targets"] == ("proj", "fc2")
    assert one("rlrr", "nabirds", FGVC).recipe.lr == 5e-4
    assert one("arc", "StanfordCars", FGVC).knobs["dropout"] == 0.0


def test_what_the_authors_searched_is_searched():
    budgets = [run.knobs["budget"] for run in settings("paper", "spt_lora", "dtd")]
    assert budgets == [1.166, 0.932, 0.699, 0.466, 0.233]
    assert not any(run.knobs["fill"] for run in settings("paper", "spt_lora", "dtd"))
    hta = settings("paper", "hta", "dtd")
    assert len(hta) == 7 * 5 * 3 * 5 and len(settings("paper", "hta", "dtd", trials=9)) == 9
    rates = {run.recipe.lr for run in settings("paper", "vpt_deep", "dtd")}
    assert max(rates) == 12.5 and min(rates) == 0.0125
    assert {run.recipe.optimizer for run in settings("paper", "vpt_deep", "dtd")} == {"sgd"}


def test_a_method_without_a_recipe_is_a_sentence():
    with pytest.raises(UnknownName, match="recipe of the authors for 'vera'"):
        settings("paper", "vera", "dtd")


@pytest.mark.parametrize("benchmark", [VTAB, FGVC], ids=lambda b: b.name)
def test_every_preset_is_of_a_method_and_runs_on_every_task(benchmark):
    for name, preset in PRESETS[benchmark.name].items():
        assert preset.source and set(preset.tasks) <= set(TASKS)
        for task in benchmark.tasks:
            runs = settings("paper", name, task.name, benchmark)
            assert runs and all(run.recipe.lr > 0 for run in runs)
            assert all(run.recipe.keep == "last" for run in runs)


def test_a_dry_run_says_recipe_and_source_and_runs_nothing(typed, home):
    words = ["bench", "vtab", "--protocol", "paper", "--dry-run", "--tasks", "cifar"]
    code, out, err = typed(*words, "--methods", "rlrr,arc:rank=8")
    assert code == 0, err
    assert "read in   RLRR's released code" in out and "cifar: lr 0.003" in out
    assert "differs   mixed precision in fp16" in out and "rank 8" in out
    said = json.loads(typed(*words, "--methods", "rlrr", "--epochs", 3, "--json")[1])
    assert said["rlrr"]["recipe"]["epochs"] == 3 and not (home / "vtab.jsonl").exists()


def test_published_means_are_those_of_their_tasks():
    """RLRR's printed FGVC mean is 0.1 below that of its tasks."""
    for benchmark, figures in FIGURES.items():
        for figure in figures:
            if figure.tasks:
                mean = sum(figure.tasks) / len(figure.tasks)
                assert len(figure.tasks) == {"vtab": 19, "fgvc": 5}[benchmark]
                assert mean == pytest.approx(figure.task_mean, abs=0.13), figure.method


BAD = {
    "no root": (["bench", "vtab"], "--root is missing"),
    "no such folder": (["bench", "vtab", "--root", "/nowhere/vtab"], "no folder"),
    "an unknown task": (["bench", "vtab", "--tasks", "cifa"], "did you mean 'cifar'"),
    "an unknown protocol": (["bench", "vtab", "--protocol", "papers"], "did you mean 'paper'"),
    "an unknown format": (["bench", "fgvc", "--root", "x", "--format", "tex"], "no format"),
    "a picture of one": (
        ["bench", "vtab", "--root", "x", "--methods", "ln", "--picture", "x.svg"],
        "no rank to draw",
    ),
    "a Hub set offline": (
        ["bench", "vtab", "--root", "hf:a/b", "--offline"],
        "not on this machine",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence(typed, name):
    words, expected = BAD[name]
    code, out, err = typed(*words)
    assert code == 2 and out == "" and expected in err and "Traceback" not in err
