"""The table shows everything, also what cannot be used; details are text."""

import pytest

from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.cards import ZooEntry
from peft_demo.contracts.origin import Origin
from peft_demo.contracts.specs import RunSpec
from peft_demo.ui.adapters import details
from peft_demo.ui.adapters.table import table
from peft_demo.ui.classify.usable import usable

from .fake import EVIL, card


def test_unusable_files_stand_in_the_table_with_their_reason(service):
    rows = table(service.zoo.entries()).set_index("Adapter")
    assert rows.loc["broken", "Note"] == "The file is truncated."
    assert rows.loc["lora-digits-0", "Test"] == "94.2 %"


def test_they_are_not_offered_for_answers(service):
    assert usable(service.zoo) == ["lora-digits-0", "evil"]


def described(card: AdapterCard) -> str:
    return details.describe(ZooEntry("a", 10, False, card), card)


def test_a_card_without_test_images_says_not_measured():
    assert "not measured" in described(card(test_accuracy=None, test_images=0))


def test_a_card_says_where_its_run_went_on_from_and_what_was_tried():
    run = RunSpec(origin=Origin("digits_before")).to_json()
    words = described(card(spec=run, trials=8, trial_images=40))
    assert "| Went on from | digits\\_before |" in words
    assert "best of 8 settings on 40 validation images" in words
    assert "Went on from" not in described(card()) and "Settings" not in described(card())


def test_class_names_with_markup_stay_text():
    words = described(card("evil", (EVIL, "b")))
    assert "<img" not in words and "![" not in words


def test_a_card_with_a_broken_spec_has_no_command():
    assert details.command(card(spec={"data": 3})) == ""


@pytest.mark.parametrize("spec", [{}, {"data": None}, {"data": "text"}])
def test_a_card_with_a_broken_spec_can_still_be_described(spec):
    odd = card(spec=spec)
    assert "lora" in described(odd)
    assert len(table([ZooEntry("a", 10, False, odd)])) == 1
