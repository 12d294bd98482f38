"""Many pictures at once: drawn as they are answered, arranged, and taken away as a table."""

from pathlib import Path

import gradio as gr
import pytest

from peft_demo.contracts.answer import Answer
from peft_demo.contracts.cards import Prediction
from peft_demo.ui.classify import many, many_table
from peft_demo.ui.classify.many import ManyAsker
from peft_demo.ui.classify.many_table import BY_CLASS, IN_ORDER, UNSURE_FIRST

from .fake import picture

ADAPTER = "lora-digits-0"


@pytest.fixture
def panel():
    with gr.Blocks():
        return many.build()


@pytest.fixture
def asker(panel, service):
    return ManyAsker(panel, service.answers, service.data)


def send(folder: Path, count: int) -> tuple[Path, ...]:
    """Pictures, of which the second is empty."""
    files = [folder / f"{number}.png" for number in range(count)]
    for number, file in enumerate(files):
        file.write_bytes(b"" if number == 1 else picture(file.name))
    return tuple(files)


def answer(name: str, label: str = "", probability: float = 0.0, refusal: str = "") -> Answer:
    top = ((label, probability), ("other", 1 - probability)) if label else ()
    return Answer(name, Prediction(ADAPTER, top, 1.0, refusal=refusal), b"jpeg")


def strange(name: str, label: str, doubt: float) -> Answer:
    return Answer(name, Prediction(ADAPTER, ((label, 0.99),), 1.0, doubt=doubt), b"jpeg")


ANSWERS = (
    answer("1", "rings", 0.9),
    answer("2", refusal="this file is empty."),
    answer("3", "dots", 0.5),
    answer("4", "dots", 0.95),
)


def test_they_are_drawn_while_they_are_answered(asker, panel, tmp_path):
    drawn = list(asker.ask(send(tmp_path, 60), ADAPTER, IN_ORDER))
    assert drawn.pop(0) == {panel.sent: send(tmp_path, 60)}
    shown = [update[panel.table].count("<li") for update in drawn]
    assert shown == [0, 8, 16, 32, 60]
    assert "0 of 60 pictures" in drawn[0][panel.table]
    assert "1 without an answer" in drawn[-1][panel.table]
    assert len(drawn[-1][panel.answers]) == 60
    table = Path(drawn[-1][panel.download].value["path"])
    assert table.name == f"answers-{ADAPTER}.csv"
    assert len(table.read_text().splitlines()) == 61


def test_nothing_is_asked_where_nothing_was_sent(asker):
    assert list(asker.ask((), ADAPTER, IN_ORDER)) == []


def test_too_many_are_refused_before_any_is_answered(asker, tmp_path, monkeypatch):
    monkeypatch.setattr(many, "MOST", 3)
    with pytest.raises(gr.Error, match="4 pictures are too many at once"):
        next(asker.ask(send(tmp_path, 4), ADAPTER, IN_ORDER))


def test_files_without_a_picture_are_a_sentence(asker, service, monkeypatch):
    monkeypatch.setattr(service.data, "sent", lambda files: [])
    with pytest.raises(gr.Error, match="There is no picture among these files"):
        next(asker.ask((Path("notes.txt"), Path("more.txt")), ADAPTER, IN_ORDER))


@pytest.mark.parametrize(
    ("order", "numbers"),
    [(IN_ORDER, [0, 1, 2, 3]), (UNSURE_FIRST, [2, 0, 3, 1]), (BY_CLASS, [2, 3, 0, 1])],
)
def test_answers_are_arranged(order, numbers):
    """Each keeps its number, by which it is chosen."""
    assert [number for number, _ in many_table.arranged(ANSWERS, order)] == numbers


def test_what_came_out_stands_first():
    html = many_table.draw(ANSWERS, 4, IN_ORDER)
    assert "<b>4 pictures</b>: 2 dots, 1 rings; 1 not sure; 1 without an answer" in html


def test_names_stay_text():
    html = many_table.draw([answer("<img src=x>", "<b>", 0.9)], 1, IN_ORDER)
    assert "<img src=x" not in html and "&lt;img src=x&gt;" in html and "&lt;b&gt;" in html


def test_a_long_table_is_drawn_in_part(monkeypatch):
    monkeypatch.setattr(many_table, "ROWS", 3)
    html = many_table.draw(ANSWERS, 4, IN_ORDER)
    assert html.count("<li") == 3 and "and 1 more in the table" in html


def test_the_same_files_can_be_asked_about_again(asker, panel, tmp_path):
    sent = send(tmp_path, 3)
    for adapter in (ADAPTER, "evil"):
        first, *_, last = asker.ask(sent, adapter, IN_ORDER)
        assert first[panel.sent] == sent
        assert {answer.prediction.adapter for answer in last[panel.answers]} == {adapter}


def test_what_is_none_of_the_classes_is_counted_apart_and_comes_first():
    answers = (*ANSWERS, strange("5", "dots", 0.96), strange("6", "dots", 1.0))
    html = many_table.draw(answers, 6, UNSURE_FIRST)
    assert ": 2 dots, 2 none of these, 1 rings; 1 not sure" in html
    assert html.count("none of these, most like") == 2
    order = [number for number, _ in many_table.arranged(answers, UNSURE_FIRST)]
    assert order[:2] == [5, 4] and order[-1] == 1
