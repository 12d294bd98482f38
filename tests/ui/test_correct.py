"""A picture of the report is moved to another class or left out."""

import gradio as gr
import pytest

from peft_demo.contracts.cards import ClassCount, DataReport
from peft_demo.ui.data import correct
from peft_demo.ui.toasts import speaking

A, B = "0123456789ab", "ba9876543210"
REPORT = DataReport(
    "photos",
    (
        ClassCount("cat", 2, 1, 1, 0, (b"1", b"2"), (A, B)),
        ClassCount("dog", 1, 1, 0, 0, (b"3",), ("c" * 12,)),
    ),
)


@pytest.fixture
def part():
    with gr.Blocks():
        return correct.build(gr.Textbox())


def test_every_picture_that_is_shown_can_be_pressed(part):
    updates = part.show(REPORT, "")
    assert updates[part.keys] == ((A, "cat"), (B, "cat"), ("c" * 12, "dog"))
    event = gr.SelectData(None, {"index": 2, "value": None})
    pressed = correct._press(part)(updates[part.keys], event)
    assert pressed[part.chosen] == ("c" * 12, "dog") and pressed[part.label] == "dog"
    assert pressed[part.panel].visible


def test_the_choices_stay_until_the_picture_is_elsewhere():
    places = ((A, "cat"), (B, "cat"))
    panel, chosen = correct._stay_or_go(places, (A, "cat"))
    assert panel.visible and chosen == (A, "cat")
    panel, chosen = correct._stay_or_go(((A, "dog"), (B, "cat")), (A, "cat"))
    assert not panel.visible and chosen is None


def test_corrections_add_up_and_the_last_word_holds():
    word = correct.move("", (A, "cat"), "dog")
    word = correct.leave_out(word, (B, "cat"))
    assert word == f"{A}=dog,{B}="
    assert correct.move(word, (B, "dog"), "cat") == f"{A}=dog,{B}=cat"


def test_a_class_must_be_chosen():
    with pytest.raises(gr.Error, match="No class has been chosen"):
        speaking(correct.move)("", (A, "cat"), None)


def test_they_can_be_undone_while_there_are_some(part):
    assert not part.show(REPORT, "")[part.undo].visible
    assert part.show(REPORT, f"{A}=")[part.undo].visible
    assert correct._forget() == ""


def test_without_a_report_nothing_is_offered(part):
    assert part.hide()[part.keys] == ()
