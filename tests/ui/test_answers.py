"""What is said of one image: a sentence, and a bar for each class that is likely at all."""

import pytest

from peft_demo.contracts.cards import Prediction
from peft_demo.ui.classify.answers import draw, sentence


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


def test_unlikely_classes_are_folded_into_one_line():
    html = draw(prediction(("bricks", 0.95), ("tiles", 0.02), ("dots", 0.004)), "A", "in 1 ms")
    assert html.count("<li>") == 2
    assert "dots" not in html
    assert "all others together 3 %" in html


def test_names_stay_text():
    html = draw(prediction(("<img src=x>", 0.5), ("<b>", 0.5)), "<i>adapter", "1 ms")
    assert "<img" not in html and "<i>adapter" not in html
    assert html.count("&lt;img") == 2
