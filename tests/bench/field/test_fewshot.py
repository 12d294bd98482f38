"""Few-shot curves over sets, shots and seeds."""

import json
from statistics import mean

import pytest

from peft_demo.bench.field import fewshot
from peft_demo.contracts.errors import BadValue

FEW = ["--size", 32, "--epochs", 1, "--methods", "linear"]


def test_sets_shots_and_seeds_are_runs_whose_tests_are_streamed(typed, home):
    words = ["bench", "fewshot", "--data", "digits", "--data", "shapes", *FEW]
    code, out, err = typed(*words, "--shots", "1,2", "--seeds", 2, "--json")
    assert code == 0, err
    (row,) = json.loads(out)["methods"]
    lines = [json.loads(line) for line in (home / "fewshot.jsonl").read_text().splitlines()]
    assert [(x["data"], x["shots"], x["seed"]) for x in lines] == [
        (data, shots, seed) for shots in (1, 2) for data in ("digits", "shapes") for seed in (0, 1)
    ]
    for line in lines:
        assert line["test_accuracy"] == line["right"].count("1") / line["test_images"]
    for shots in ("1", "2"):
        own = []
        for data in ("digits", "shapes"):
            accuracies = [
                line["test_accuracy"]
                for line in lines
                if (line["data"], line["shots"]) == (data, int(shots))
            ]
            assert row["cells"][data][shots]["accuracy"] == pytest.approx(mean(accuracies))
            own.append(mean(accuracies))
        assert row["cells"]["mean"][shots]["accuracy"] == pytest.approx(mean(own))
    code, out, err = typed(*words, "--shots", "2,1", "--seeds", 2)
    assert code == 0 and out.splitlines()[0].split()[:4] == ["METHOD", "DATA", "2", "SHOTS"]
    assert len((home / "fewshot.jsonl").read_text().splitlines()) == 8


def test_streamed_and_in_memory_are_the_same_test(typed, home):
    """The images of `compare`, whose set is below its limit, give the same answers."""
    words = ["--data", "digits", *FEW, "--seeds", 1, "--json"]
    streamed = json.loads(typed("bench", "fewshot", *words, "--shots", 2)[1])
    compared = json.loads(typed("compare", *words, "--shots", 2)[1])
    (line,) = [json.loads(x) for x in (home / "fewshot.jsonl").read_text().splitlines()]
    assert line["right"] == compared["runs"][0]["right"]
    assert streamed["methods"][0]["cells"]["digits"]["2"]["images"] == len(line["right"])


def test_a_set_with_a_run_that_failed_has_no_mean():
    good = {"method": "lora", "data": "a", "shots": 1, "test_accuracy": 0.5, "test_images": 4}
    rows = fewshot.summary([good, {"method": "lora", "data": "b", "shots": 1, "error": "no."}])
    assert rows[0]["cells"]["mean"]["1"] is None and rows[0]["error"] == "no."
    assert fewshot.table(rows)[0][1] == ("lora", "b", "failed", "no.")


@pytest.mark.parametrize("text", ["", "0", "1,1", "a", "1,,2"])
def test_odd_shots_are_refused(text):
    with pytest.raises(BadValue, match="--shots takes"):
        fewshot.parse_shots(text)
