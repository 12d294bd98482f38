"""What is said of one image: a sentence, and a bar for each class that is likely at all."""

from dataclasses import replace

import pytest

from peft_demo.contracts.cards import Prediction
from peft_demo.ui.classify.answers import Together, draw, sentence


def prediction(*top: tuple[str, float]) -> Prediction:
    return Prediction("lora-things-s0", top, ms=1.0)


@pytest.mark.parametrize(
    ("top", "words"),
    [
        ((("bricks", 0.97), ("tiles", 0.03)), "<b>bricks</b>, <em>sure</em>"),
        ((("bricks", 0.7), ("tiles", 0.3)), "probably <b>bricks</b>"),
        ((("bricks", 0.5), ("tiles", 0.4)), "not sure: <b>bricks</b> or <b>tiles</b>?"),
        ((("bricks", 0.5),), "probably <b>bricks</b>"),
    ],
)
def test_the_sentence_says_how_sure_the_answer_is(top, words):
    assert sentence(prediction(*top)) == words


def test_what_is_none_of_the_classes_is_not_called_one_of_them():
    strange = replace(prediction(("bricks", 0.97), ("tiles", 0.03)), doubt=0.99)
    assert sentence(strange) == "none of these, most like <b>bricks</b>"
    assert 'class="answer none"' in draw(strange, "A", "1 ms")
    familiar = replace(strange, doubt=0.9)
    assert sentence(familiar) == "<b>bricks</b>, <em>sure</em>"
    together = Together.of([strange, strange, familiar])
    assert together.answer == "" and together.look(strange) == ""


def test_unlikely_classes_are_folded_into_one_line():
    html = draw(prediction(("bricks", 0.95), ("tiles", 0.02), ("dots", 0.004)), "A", "in 1 ms")
    assert html.count("<li>") == 2
    assert "dots" not in html
    assert "all others together 3 %" in html


def test_names_stay_text():
    html = draw(prediction(("<img src=x>", 0.5), ("<b>", 0.5)), "<i>adapter", "1 ms")
    assert "<img" not in html and "<i>adapter" not in html
    assert html.count("&lt;img") == 2


def test_answers_side_by_side_have_one_order_and_show_who_differs():
    first = prediction(("bricks", 0.6), ("tiles", 0.4))
    second = prediction(("tiles", 0.9), ("bricks", 0.1))
    third = prediction(("tiles", 0.8), ("bricks", 0.2))
    together = Together.of([first, second, third])
    assert together.classes == ("tiles", "bricks") and together.answer == "tiles"
    html = draw(first, "A", "", together)
    assert "differs" in html and html.index("<span>tiles") < html.index("<span>bricks")
    assert "agrees" in draw(second, "B", "", together)


def test_where_no_two_agree_none_differs():
    together = Together.of([prediction(("a", 1.0)), prediction(("b", 1.0))])
    assert "differs" not in draw(prediction(("a", 1.0)), "A", "", together)
