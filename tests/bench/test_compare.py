"""Methods × seeds: resumed, interrupted, with a run that fails; the table."""

import json

import pytest

from peft_demo.bench import comparison, runner
from peft_demo.contracts.errors import BadValue, TrainingFailed
from peft_demo.contracts.specs import DataSpec
from peft_demo.studio.comparison import rows

DIGITS = ["--data", "digits", "--shots", 2, "--size", 32, "--epochs", 1]


def compare(methods, *more) -> list:
    return ["compare", *DIGITS, "--methods", methods, *more]


@pytest.fixture
def performed(monkeypatch):
    """The (method, seed) of every run that is really done."""
    done = []
    measured = runner.measured

    def counted(run, *rest):
        done.append((run.method, run.seed))
        return measured(run, *rest)

    monkeypatch.setattr(runner, "measured", counted)
    return done


def test_runs_are_lines_and_are_not_repeated(typed, home, performed):
    code, out, err = typed(*compare("linear,lora:rank=2", "--seeds", 2, "--json"))
    value = json.loads(out)
    assert code == 0 and out.count("\n") == 1, err
    assert performed == [("linear", 0), ("lora", 0), ("linear", 1), ("lora", 1)]
    assert "[4/4] lora:rank=2" in err and "min left" in err

    lines = [json.loads(line) for line in (home / "comparisons.jsonl").read_text().splitlines()]
    assert lines == value["runs"] and len({line["id"] for line in lines}) == 4
    for line in lines:
        assert len(line["right"]) == line["test_images"]
        assert line["right"].count("1") / len(line["right"]) == pytest.approx(line["test_accuracy"])
    assert all(line["unchanged"] and line["test_images"] for line in lines)
    linear, lora = value["methods"]
    assert linear["trainable"] == 0 < lora["trainable"] and linear["saved_mb"] < lora["saved_mb"]
    assert lora["test_accuracy"] == pytest.approx(sum(x["test_accuracy"] for x in lines[1::2]) / 2)

    code, out, _ = typed(*compare("lora:rank=2,linear", "--seeds", 2, "--markdown"))
    assert code == 0 and len(performed) == 4
    assert out.startswith("| method | test | validation | trainable |")
    assert "| lora:rank=2 |" in out and " ± " in out
    assert " ≈ |" in out and out.rstrip().endswith(value["legend"])

    assert typed(*compare("linear", "--seeds", 1, "--lr", 0.02))[0] == 0
    assert len(performed) == 5


def test_a_run_that_fails_is_a_line_and_is_tried_again(typed, home, monkeypatch, performed):
    train = runner.train
    broken = [TrainingFailed("the loss is not finite."), RuntimeError("a bug\nin it")]

    def failing(run, *rest):
        if run.method == "lora" and broken:
            raise broken.pop(0)
        return train(run, *rest)

    monkeypatch.setattr(runner, "train", failing)
    for sentence in ("1 failed: the loss is not finite.", "1 failed: RuntimeError: a bug in it"):
        code, out, _ = typed(*compare("lora,linear", "--seeds", 1))
        assert code == 0 and sentence in out
    assert "failed" not in typed(*compare("lora,linear", "--seeds", 1))[1]
    assert performed.count(("lora", 0)) == 3 and performed.count(("linear", 0)) == 1


def test_ctrl_c_loses_the_run_in_progress_alone(typed, monkeypatch, performed):
    train = runner.train

    def interrupted(run, *rest):
        if run.method == "lora":
            raise KeyboardInterrupt
        return train(run, *rest)

    monkeypatch.setattr(runner, "train", interrupted)
    code, out, err = typed(*compare("linear,lora", "--seeds", 1))
    assert code == 130 and out == "" and "goes on from" in err
    monkeypatch.setattr(runner, "train", train)
    assert typed(*compare("linear,lora", "--seeds", 1))[0] == 0
    assert performed == [("linear", 0), ("lora", 0), ("lora", 0)]


def test_a_path_stays_on_this_machine(typed, home, tmp_path):
    from PIL import Image

    for label, shade in (("dark", 40), ("light", 200)):
        (tmp_path / "shades" / label).mkdir(parents=True)
        for i in range(6):
            Image.new("L", (24, 24), shade + 3 * i).save(tmp_path / "shades" / label / f"{i}.png")
    words = ["compare", "--data", tmp_path / "shades", "--methods", "linear", "--seeds", 1]
    code, out, err = typed(*words, "--shots", 2, "--size", 32, "--epochs", 1)
    assert code == 0, err
    assert str(tmp_path) not in out + (home / "comparisons.jsonl").read_text()


BAD = {
    "no data": (["compare"], "--data"),
    "an unknown method": (compare("lroa"), "did you mean 'lora'"),
    "an unknown knob": (compare("lora:rnk=2"), "rank"),
    "an unknown dataset": (["compare", "--data", "digts"], "digits"),
    "an unknown backbone": (compare("lora", "--backbone", "nope"), "no backbone 'nope'"),
    "a size the patches do not divide": (["compare", "--data", "digits", "--size", 33], "33 px"),
    "a recipe out of range": (compare("lora", "--epochs", 0), "epochs takes"),
    "no seeds": (compare("lora", "--seeds", 0), "--seeds"),
    "a seed that is no number": (compare("lora", "--seeds", "1,x"), "--seeds"),
    "tune: an unknown method": (["bench", "tune", "--methods", "lroa"], "did you mean 'lora'"),
    "methods: an unknown backbone": (
        ["bench", "methods", "--backbone", "nope"],
        "no backbone 'nope'",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_is_one_sentence_and_exit_code_2(typed, name):
    words, expected = BAD[name]
    code, out, err = typed(*words)
    assert code == 2 and out == ""
    assert expected in err and err.count("\n") == 1 and "Traceback" not in err


def line(method, accuracy, **more) -> dict:
    figures = dict.fromkeys(rows.AVERAGED, 1000.0) | {"memory_mb": None}
    accuracies = {"test_accuracy": accuracy, "val_accuracy": accuracy}
    return {"method": method, "data": "digits", "seed": 0} | accuracies | figures | more


def test_the_spread_is_the_sample_deviation_over_the_seeds_that_ended_well():
    lines = [
        line("lora", 0.5),
        line("linear", 0.25),
        line("lora", 0.6, seed=1),
        line("lora", None, error="no memory."),
    ]
    lora, linear = rows.summary(lines)
    assert (lora["seeds"], lora["failed"], linear["seeds"]) == (2, 1, 1)
    assert lora["test_accuracy"] == pytest.approx(0.55)
    assert lora["test_std"] == pytest.approx(0.1 / 2**0.5)
    cells = comparison.printed([lora, linear], "cpu")
    assert cells[0][1] == "55.0 ± 7.1 ≈" and cells[1][1] == "25.0 ?"
    assert cells[0][-1] == "1 failed: no memory."
    markdown = comparison.as_markdown(cells[1:], comparison.head([DataSpec()]))
    assert markdown[0].endswith("| memory |")


def test_several_sets_are_columns_that_count_the_same():
    scores = [("digits", 0.9, 0), ("digits", 1.0, 1), ("signs", 0.5, 0)]
    lines = [line("lora", score, data=data, seed=seed) for data, score, seed in scores]
    lines += [line("linear", 0.3), line("linear", None, data="signs", error="no memory.")]
    lora, linear = rows.summary(lines)
    assert lora["test_accuracy"] == pytest.approx((0.95 + 0.5) / 2)
    assert linear["test_accuracy"] is None
    cells = comparison.printed([lora, linear], "cpu")
    assert cells[0][1:5] == ("95.0 ± 7.1 ≈", "50.0", "72.5", "1.0")
    assert (
        cells[1][1:4] == ("30.0 ?", "not measured", "not measured") and "no memory" in cells[1][-1]
    )
    head = comparison.head([DataSpec(name="digits"), DataSpec(name="signs")])
    assert head[:5] == ("METHOD", "DIGITS", "SIGNS", "MEAN", "MEAN RANK")
    assert len(head) == len(cells[0]) == len(cells[1])


def test_two_sets_of_one_name_are_refused():
    data = [DataSpec("folder", "/here/birds"), DataSpec("folder", "/there/birds")]
    with pytest.raises(BadValue, match="called birds"):
        comparison.jobs([], [0], data, None, None)


def test_several_sets_in_one_command(typed, performed):
    words = ["compare", "--methods", "linear"]
    for name in ("digits", "textures", "digits"):
        words += ["--data", name]
    code, out, err = typed(*words, "--seeds", 1, "--shots", 2, "--size", 32, "--epochs", 1)
    assert code == 0 and performed == [("linear", 0)] * 2, err
    assert out.split()[:4] == ["METHOD", "DIGITS", "TEXTURES", "MEAN"]
    assert "digits, textures, 2 shots" in out


def test_without_test_images_none_is_printed():
    (row,) = rows.summary([line("lora", None)])
    assert comparison.printed([row], "cpu")[0][1:3] == ("not measured", "not measured")


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", [0, 1, 2]), ("1", [0]), ("1,2", [1, 2]), ("7,", [7]), ("4, 0", [4, 0])],
)
def test_seeds_are_a_number_of_them_or_these(text, seeds):
    assert comparison.parse_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "0", "-1", "1,1", "1,-2", "a", "1.5", "1001", ","])
def test_odd_seeds_are_refused(text):
    with pytest.raises(BadValue, match="--seeds takes"):
        comparison.parse_seeds(text)


def test_chosen_seeds_and_few_test_images(typed, performed):
    code, out, err = typed(*compare("linear", "--seeds", "4,1", "--test-images", 10, "--json"))
    value = json.loads(out)
    assert code == 0 and performed == [("linear", 4), ("linear", 1)], err
    assert [line["test_images"] for line in value["runs"]] == [10, 10]
    assert "seeds 4, 1" in value["caption"]


def test_every_contender_gets_as_many_trials(typed, home):
    """What its word or a flag sets is not searched; the winner's test accuracy counts."""
    words = compare("linear,lora:rank=2:scale=1", "--seeds", 1, "--tune", 2)
    code, out, err = typed(*words, "--json")
    value = json.loads(out)
    assert code == 0, err
    assert "[2/2] lora:rank=2:scale=1, 2 trials, seed 0" in err
    assert "best of 2 trials on validation images" in value["caption"]
    for line in value["runs"]:
        assert [trial["trial"] for trial in line["trials"]] == [1, 2]
        assert len(line["right"]) == line["test_images"]
        best = [trial for trial in line["trials"] if trial["best"]][-1]
        assert line["val_accuracy"] == best["accuracy"] and line["test_images"]
        assert "scale" not in best["settings"]
    assert typed(*words)[2].count("trials, seed") == 0, "known already"
    plain = json.loads(typed(*compare("lora:rank=2:scale=1", "--seeds", 1, "--json"))[1])
    assert plain["runs"][0]["id"] != value["runs"][1]["id"]


def test_a_contender_of_which_nothing_is_left_to_search_runs_as_it_stands(typed):
    words = compare("linear", "--seeds", 1, "--tune", 2, "--lr", 0.01, "--json")
    (line,) = json.loads(typed(*words)[1])["runs"]
    assert "trials" not in line and line["lr"] == 0.01
