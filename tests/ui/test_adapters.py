"""The table shows everything, also what cannot be used; details are text."""

from peft_demo.contracts.cards import ZooEntry
from peft_demo.ui import adapters, classify

from .fake import EVIL, card


def test_unusable_files_stand_in_the_table_with_their_reason(service):
    rows = adapters.table(service.zoo.entries()).set_index("Adapter")
    assert rows.loc["broken", "Note"] == "The file is truncated."
    assert rows.loc["lora-digits-0", "Test"] == "94.2 %"


def test_they_are_not_offered_for_answers(service):
    assert classify.usable(service) == ["lora-digits-0", "evil"]


def test_a_card_without_test_images_says_not_measured():
    entry = ZooEntry("a", 10, False, card(test_accuracy=None, test_images=0))
    assert "not measured" in adapters.describe(entry)


def test_class_names_with_markup_stay_text():
    said = adapters.describe(ZooEntry("evil", 10, False, card("evil", (EVIL, "b"))))
    assert "<img" not in said and "![" not in said


def test_a_card_with_a_broken_spec_has_no_command():
    assert adapters.command(card(spec={"data": 3})) == ""


def test_a_card_with_a_broken_spec_can_still_be_described():
    for spec in ({}, {"data": None}, {"data": "text"}):
        assert "lora" in adapters.describe(ZooEntry("a", 10, False, card(spec=spec)))
        assert len(adapters.table([ZooEntry("a", 10, False, card(spec=spec))])) == 1
