"""A comparison as a value: JSON both ways, its command line, what is refused."""

import json
import shlex

import pytest

from peft_demo.contracts.comparison import ComparisonSpec
from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.specs import DataSpec, Recipe

DIGITS = DataSpec()
SPEC = ComparisonSpec(
    methods=("linear", "lora:rank=4", "linear"),
    data=(DIGITS, DataSpec("folder", "/home/me/birds")),
    shots=(2, 16),
    seeds=(0, 1, 2),
    size=64,
    recipe=Recipe(epochs=3),
    workers=2,
)


def test_json_gives_it_back():
    assert ComparisonSpec.from_json(json.loads(json.dumps(SPEC.to_json()))) == SPEC
    assert SPEC.methods == ("linear", "lora:rank=4") and SPEC.runs == 24


def test_the_command_line_says_the_same_and_names_no_place():
    first, second = SPEC.command().splitlines()
    words = shlex.split(first)
    assert words[:4] == ["python", "-m", "peft_demo", "compare"]
    assert words[4:8] == ["--data", "digits", "--data", "birds"]
    assert words[8:] == [
        *("--methods", "linear,lora:rank=4", "--seeds", "3", "--shots", "2"),
        *("--size", "64", "--epochs", "3", "--workers", "2"),
    ]
    assert "--shots 16" in second and "/home" not in first + second


@pytest.mark.parametrize(("seeds", "words"), [((7,), "7,"), ((1, 4), "1,4"), ((0,), "1")])
def test_seeds_are_written_as_compare_takes_them(seeds, words):
    from peft_demo.bench.comparison import parse_seeds

    spec = ComparisonSpec(("linear",), (DIGITS,), seeds=seeds)
    assert f"--seeds {words} " in spec.command() and parse_seeds(words) == list(seeds)


@pytest.mark.parametrize(
    "wrong",
    [
        {"methods": ()},
        {"data": ()},
        {"data": (DataSpec("folder", "/a/x"), DataSpec("folder", "/b/x"))},
        {"shots": ()},
        {"shots": (0,)},
        {"shots": (True,)},
        {"seeds": tuple(range(10_001))},
        {"seeds": (-1,)},
        {"workers": 0},
        {"size": 1.5},
    ],
)
def test_what_cannot_be_run_is_a_sentence(wrong):
    with pytest.raises(BadValue):
        ComparisonSpec(**{"methods": ("linear",), "data": (DIGITS,), **wrong})


@pytest.mark.parametrize("plain", [None, [], {}, {"methods": 1}, {**SPEC.to_json(), "data": [1]}])
def test_any_other_json_is_refused(plain):
    with pytest.raises(BadValue):
        ComparisonSpec.from_json(plain)
