"""What is said of one image: a sentence, and a bar for each class that is likely at all."""

from dataclasses import replace

import pytest

from peft_demo.contracts.cards import Prediction
from peft_demo.ui.classify.answers import TOP, Agreement, averaged, draw, sentence


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
    agreement = Agreement.of([strange, strange, familiar])
    assert agreement.answer == "" and agreement.look(strange) == ""


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
    agreement = Agreement.of([first, second, third])
    assert agreement.classes == ("tiles", "bricks") and agreement.answer == "tiles"
    html = draw(first, "A", "", agreement)
    assert "differs" in html and html.index("<span>tiles") < html.index("<span>bricks")
    assert "agrees" in draw(second, "B", "", agreement)


def test_where_no_two_agree_none_differs():
    agreement = Agreement.of([prediction(("a", 1.0)), prediction(("b", 1.0))])
    assert "differs" not in draw(prediction(("a", 1.0)), "A", "", agreement)


def test_whole_answers_over_the_same_classes_are_averaged():
    first = replace(prediction(("tiles", 0.6), ("bricks", 0.4)), doubt=0.2)
    second = replace(prediction(("bricks", 0.9), ("tiles", 0.1)), doubt=0.4)
    mean = averaged([first, second])
    assert mean.label == "bricks" and mean.probability == pytest.approx(0.65)
    assert mean.doubt == pytest.approx(0.3)
    assert averaged([first, replace(second, doubt=None)]).doubt is None


@pytest.mark.parametrize(
    "others",
    [
        (),
        (("dots", 0.5), ("tiles", 0.5)),
        (("bricks", 0.5), ("tiles", 0.1)),
    ],
)
def test_one_alone_other_classes_and_cut_answers_have_no_average(others):
    answers = [prediction(("bricks", 0.6), ("tiles", 0.4))]
    assert averaged([*answers, prediction(*others)] if others else answers) is None


def test_of_many_classes_few_are_drawn():
    many = prediction(*((f"class {n}", 0.1) for n in range(10)))
    assert draw(many, "A", "").count("<li>") == TOP
