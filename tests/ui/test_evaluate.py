"""Where an adapter errs: the sentence, the matrix, and the pictures of its cells."""

from dataclasses import replace

import gradio as gr
import pytest

from peft_demo.contracts.score import ClassScore, Reliability, Score
from peft_demo.ui.adapters import confusion, evaluate

from .fake import EVIL


@pytest.fixture
def score(service) -> Score:
    return service.answers.evaluate("lora-digits-0", pictures=True)


def test_the_sentence_counts_and_names_the_worst(score):
    words = evaluate.sentence(score)
    assert "3 of 4 right, 30 to 95 %" in words and "Macro F1 0.73" in words
    assert "**0** is taken for **1**: 1 time." in words and "60 images left out" in words


def test_every_cell_with_pictures_can_be_pressed_and_says_what_it_is(score):
    table = confusion.draw(score)
    assert table.count("data-cell=") == 3
    assert 'aria-label="0 taken for 1: 1 picture"' in table
    assert table.count('scope="col"') == table.count('scope="row"') == 2


def test_a_press_shows_those_pictures(score):
    assert evaluate.of_cell(score, 0, 1).count("<li>") == 1
    assert "1, recognised: 2 pictures" in evaluate.of_cell(score, 1, 1)
    assert "No mistakes" not in evaluate.mistakes(score)
    assert "said 1 87" in evaluate.mistakes(score)
    fewer = replace(score, pictures=score.pictures[:3])
    assert "2 pictures, 1 shown" in evaluate.of_cell(fewer, 1, 1)


@pytest.mark.parametrize("value", ["0,1", "1,1"])
def test_a_cell_is_found(score, value):
    assert confusion.cell(score, value) == tuple(map(int, value.split(",")))


@pytest.mark.parametrize("value", ["", "0", "0,2", "-1,0", "a,b", None, "9" * 99, "0,1,1", "²,0"])
def test_a_browser_may_send_anything(score, value):
    assert confusion.cell(score, value) is None


def test_of_many_classes_the_worst_are_drawn():
    classes = tuple(ClassScore(f"c{n}", 2, 0.5, 0.5, 0.5) for n in range(30))
    matrix = [[2 * (row == column) for column in range(30)] for row in range(30)]
    matrix[29][3] = 5
    table = confusion.draw(Score(0.9, 65, 0, classes, tuple(map(tuple, matrix))))
    assert table.count("<tbody>") == 1 and table.count('scope="row"') == confusion.MOST
    assert 'data-cell="29,3"' in table and "The 20 classes with the most mistakes" in table


def test_names_stay_text(service):
    score = service.answers.evaluate("evil", pictures=True)
    assert EVIL in [entry.name for entry in score.classes]
    for drawn in (confusion.draw(score), evaluate.mistakes(score), evaluate.of_cell(score, 0, 0)):
        assert "<img src=x" not in drawn and "&lt;img src=x" in drawn


def test_it_evaluates_on_what_is_chosen(page, service, monkeypatch):
    asked = []
    answer = service.answers.evaluate
    monkeypatch.setattr(
        service.answers, "evaluate", lambda id, data, *_, **__: asked.append(data) or answer(id)
    )
    with page.page.blocks:
        part = evaluate.build()
        chosen = gr.State("")
    run = evaluate.evaluator(part, chosen, page.data.form, service.answers)
    values = {**page.values, chosen: "lora-digits-0"}
    run({**values, part.on: evaluate.OWN})
    updates = run({**values, part.on: evaluate.OPEN})
    assert asked[0] is None and asked[1].name == "digits"
    assert updates[part.results].visible and updates[part.score].images == 4
    with pytest.raises(gr.Error, match="No adapter is chosen"):
        run({**values, chosen: "", part.on: evaluate.OWN})


def test_how_true_probabilities_are_is_drawn_and_stands_in_a_table(score):
    assert evaluate.reliability(score) == ""
    bins = Reliability(0.95, 1.0, 2), Reliability(0.55, 0.5, 2)
    html = evaluate.reliability(
        replace(score, reliability=bins, calibration_error=0.05, brier=0.2, called_none=1)
    )
    assert "<svg" in html and "<td>95 %</td><td>2</td><td>2 of 2 right" in html
    assert "5.0 % apart on average; Brier 0.20." in html


def test_how_many_are_called_none_is_said_where_it_is_known(score):
    assert "none of its classes" not in evaluate.sentence(score)
    assert "1 of 4 are called none" in evaluate.sentence(replace(score, called_none=1))
