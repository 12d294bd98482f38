"""Knobs: one dataclass gives forms, flags and checks; what does not fit is a sentence."""

from dataclasses import dataclass

import pytest

from peft_demo.contracts.errors import BadValue, UnknownName
from peft_demo.contracts.knobs import build, knob, knobs, parse_settings


@dataclass(frozen=True)
class Config:
    rank: int = knob(8, "Rank", low=1, high=16)
    scale: float = knob(1.0, "Scale", low=0.1, high=10.0)
    bias: bool = knob(True, "Bias")
    start: str = knob("zero", "Start", choices=("zero", "random"))
    bits: int = knob(1, "Bits", choices=(1, 2, 4, 8))
    targets: tuple = knob(("q", "v"), "Targets", choices=("q", "k", "v"))


def test_kinds_are_told_from_the_defaults():
    assert [k.kind for k in knobs(Config)] == [
        "int",
        "float",
        "bool",
        "choice",
        "choice",
        "choices",
    ]


def test_text_from_a_command_line_and_json_from_a_card_give_the_same_config():
    text = parse_settings(["rank=4", "scale=2", "bias=no", "start=random", "bits=2", "targets=v,q"])
    json = {
        "rank": 4,
        "scale": 2,
        "bias": False,
        "start": "random",
        "bits": 2,
        "targets": ["v", "q"],
    }
    assert (
        build(Config, text) == build(Config, json) == Config(4, 2.0, False, "random", 2, ("q", "v"))
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("rank", 0),
        ("rank", 17),
        ("rank", 2.5),
        ("rank", True),
        ("rank", "two"),
        ("rank", None),
        ("scale", float("nan")),
        ("scale", "inf"),
        ("bias", 1),
        ("bias", "perhaps"),
        ("start", "one"),
        ("bits", 3),
        ("targets", []),
        ("targets", ["w"]),
        ("targets", "q,w"),
    ],
)
def test_what_does_not_fit_is_a_sentence_with_the_range(name, value):
    with pytest.raises(BadValue, match=f"{name} takes .*, got"):
        build(Config, {name: value})


def test_an_unknown_knob_offers_the_nearest():
    with pytest.raises(UnknownName, match="did you mean 'rank'"):
        build(Config, {"rnak": 1})


def test_a_setting_without_an_equals_sign_is_a_sentence():
    with pytest.raises(BadValue, match="knob=value"):
        parse_settings(["rank"])


@pytest.mark.parametrize("k", knobs(Config), ids=lambda k: k.name)
def test_both_ends_fit(k):
    assert [k.check(end) for end in k.ends()] == list(k.ends())


def test_a_number_too_large_for_a_float_is_a_sentence_of_bounded_length():
    """JSON knows whole numbers of any length."""
    for name in ("rank", "scale"):
        with pytest.raises(BadValue, match="takes") as refused:
            build(Config, {name: 10**400})
        assert len(str(refused.value)) < 200
