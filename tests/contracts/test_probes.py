"""What an export keeps of the probe pictures, and what a hostile one meets."""

import json

import pytest

from peft_demo.contracts.errors import BadAdapter
from peft_demo.contracts.probes import VERSION, Probes, check_version

KEPT = Probes(("cup", "plate"), ((0.1, -2.5), (1.0000001, 3.4e-8)))


def test_they_come_back_as_they_were():
    assert Probes.parse(KEPT.to_text(), "it") == KEPT
    assert KEPT.spread == pytest.approx(3.5000001)


SPOILED = {
    "no JSON": "{",
    "no object": "[]",
    "deep": "[" * 100_000,
    "no classes": {"classes": []},
    "a class twice": {"classes": ["cup", "cup"]},
    "one row": {"logits": [[1, 2]]},
    "three rows": {"logits": [[1, 2]] * 3},
    "rows of another length": {"logits": [[1, 2], [1, 2, 3]]},
    "text": {"logits": [["1", 2], [1, 2]]},
    "a truth": {"logits": [[True, 2], [1, 2]]},
    "no number": {"logits": [[float("nan"), 2], [1, 2]]},
    "infinite": {"logits": [[float("inf"), 2], [1, 2]]},
    "more than fp32 holds": {"logits": [[1e300, 2], [1, 2]]},
    "no version": {"version": None},
    "version zero": {"version": 0},
}


@pytest.mark.parametrize("change", SPOILED.values(), ids=SPOILED)
def test_hostile_ones_are_refused_with_a_sentence(change):
    text = change
    if isinstance(change, dict):
        text = json.dumps(json.loads(KEPT.to_text()) | change)
    with pytest.raises(BadAdapter, match=r"^the probe "):
        Probes.parse(text, "the probe of it")


def test_those_of_other_pictures_are_not_compared():
    check_version(VERSION, "it")
    with pytest.raises(BadAdapter, match="version 2"):
        check_version(VERSION + 1, "it")
