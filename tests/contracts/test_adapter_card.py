"""A card from elsewhere: whatever JSON it is, it is read or refused in a sentence."""

import json
from dataclasses import fields
from typing import Any

import pytest

from peft_demo.contracts import adapter_card
from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.errors import BadAdapter
from peft_demo.contracts.specs import RunSpec
from peft_demo.contracts.text import QUOTED

HUGE = 10**400
NESTED = "[" * 900 + "]" * 900


def good(**changes: Any) -> dict[str, Any]:
    """The JSON of a sound card, with `changes`."""
    values = {
        "name": "a",
        "method": "lora",
        "knobs": {"rank": 8},
        "classes": ["cat", "dog"],
        "backbone": "tiny",
        "arch": "vit_tiny_patch16_224",
        "fingerprint": "0" * 64,
        "size": 32,
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "spec": RunSpec().to_json(),
        "trainable": 10,
        "head": 2,
    }
    return values | changes


BAD = {
    "mean a number": ({"mean": 5}, "expected a list of 3 numbers"),
    "mean of booleans": ({"mean": [True, True, True]}, "expected a finite number"),
    "std zero": ({"std": [0.0, 1.0, 1.0]}, "expected a finite number from 1e-06"),
    "classes null": ({"classes": None}, "expected a list of names"),
    "classes a string": ({"classes": "ab"}, "expected a list of names"),
    "classes twice the same": ({"classes": ["a", "a"]}, "all of them different"),
    "an empty class": ({"classes": ["a", ""]}, "a name of 1 to 500 visible characters"),
    "a blank class": ({"classes": ["a", "  "]}, "a name of 1 to 500 visible characters"),
    "a newline": ({"classes": ["a", "b\nc"]}, "visible characters"),
    "bidirectional": ({"name": "a\u202eb"}, "visible characters"),
    "zero width": ({"name": "a\u200bb"}, "visible characters"),
    "a surrogate": ({"backbone": "a\ud800"}, "visible characters"),
    "a control character": ({"arch": "a\x1b[31m"}, "visible characters"),
    "curve a number": ({"curve": 5}, "expected a list of points"),
    "curve of numbers": ({"curve": [5]}, "each \\[step, value\\]"),
    "accuracy above 1": ({"accuracy_curve": [[1, 2]]}, "a finite number from 0 to 1"),
    "a huge number": ({"seconds": HUGE}, "expected a finite number"),
    "a huge count": ({"trainable": HUGE}, "expected a whole number"),
    "a boolean count": ({"head": True}, "expected a whole number"),
    "not a number": ({"val_accuracy": float("nan")}, "expected a finite number"),
    "a huge knob": ({"knobs": {"rank": HUGE}}, "expected a whole number"),
    "a nested knob": ({"knobs": {"rank": json.loads(NESTED)}}, "within each other"),
    "knobs a list": ({"knobs": []}, "expected an object"),
    "extra infinite": ({"extra": {"a": [float("inf")]}}, "expected a finite number"),
    "a window of one number": ({"window": [1]}, "two numbers"),
    "a window of huge numbers": ({"window": [0, HUGE]}, "two numbers"),
    "an unknown ground": ({"ground": "chequered"}, "the name of a ground colour"),
    "too few distances": ({"doubt": [0.1, 0.2]}, "a list of 21 numbers from 0 to 2"),
    "distances that fall": ({"doubt": [1.0, *[0.5] * 20]}, "do not fall"),
    "no temperature": ({"temperature": 0}, "a finite number from 0.001"),
    "a thumbnail that is markup": ({"thumbnail": "<img>"}, "base64"),
}


def test_a_sound_card_is_read_as_it_was_written():
    card = AdapterCard.from_json(good(curve=[[1, 2.5]], window=[0, 4095], ground="black"))
    assert AdapterCard.parse(json.dumps(card.to_json())) == card
    assert card.classes == ("cat", "dog") and card.curve == ((1, 2.5),)
    assert card.command() == RunSpec().command()


def test_fields_of_later_versions_are_ignored():
    assert AdapterCard.from_json(good(tomorrow=[1])) == AdapterCard.from_json(good())


@pytest.mark.parametrize(("changes", "sentence"), BAD.values(), ids=BAD)
def test_a_bad_field_is_refused_by_name(changes, sentence):
    with pytest.raises(BadAdapter, match=f"has {next(iter(changes))} = .*{sentence}") as error:
        AdapterCard.from_json(good(**changes))
    assert len(str(error.value)) < QUOTED + 200


@pytest.mark.parametrize("text", ["5", "[]", "null", "", "{not", NESTED, "[" * 100_000, "{}"])
def test_what_is_no_card_is_refused(text):
    with pytest.raises(BadAdapter, match="the card of this adapter file"):
        AdapterCard.parse(text)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"data": None},
        {"tomorrow": 1},
        RunSpec().to_json() | {"size": True},
        RunSpec().to_json() | {"name": "a\u202e"},
        RunSpec().to_json() | {"recipe": {"lr": HUGE}},
        RunSpec().to_json() | {"data": {"name": None}},
        RunSpec().to_json() | {"knobs": {"rank": HUGE}},
        5,
        None,
    ],
)
def test_a_run_that_cannot_be_read_is_left_out(spec):
    """An adapter answers without it, and nothing has to show what nobody can read."""
    assert AdapterCard.from_json(good(spec=spec)).spec == {}


def test_every_field_has_its_check():
    assert {field.name for field in fields(AdapterCard)} == adapter_card._CHECKS.keys()
