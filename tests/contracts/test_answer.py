"""Answers as a table."""

import csv
from io import StringIO

import pytest

from peft_demo.contracts.answer import Answer, as_csv
from peft_demo.contracts.cards import Prediction


def rows(*answers: Answer) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(as_csv(answers))))


def answer(name: str, *top: tuple[str, float], refusal: str = "") -> Answer:
    return Answer(name, Prediction("a", top, 1.0, refusal=refusal))


def test_every_line_has_the_columns_of_the_longest_answer():
    long = answer("a.png", ("dots", 0.75), ("rings", 0.25))
    first, second = rows(long, answer("b.png", refusal="this file is empty."))
    assert first["answer 2"] == "rings" and first["probability"] == "0.750000"
    assert second["answer"] == "" and second["reason"] == "this file is empty."


@pytest.mark.parametrize("word", ["=1+1", "+1", "-1", "@x", " =1"])
def test_no_name_is_a_formula_to_a_spreadsheet(word):
    (row,) = rows(answer(f"{word}.png", (word, 0.5)))
    assert row["file"] == f"'{word}.png" and row["answer"] == f"'{word}"


@pytest.mark.parametrize("word", ["a\rb", "a\nb", "\t=1", "a\x00b"])
def test_no_name_breaks_its_line(word):
    (row,) = rows(answer(word, ("dots", 0.5)))
    assert row["file"] == repr(word)[1:-1]


def test_doubt_stands_where_an_adapter_can_say():
    strange = Answer("a.png", Prediction("x", (("dots", 0.5),), 1.0, doubt=0.96))
    (row,) = rows(strange)
    assert (row["doubt"], row["none of these"]) == ("0.960", "yes")
    (row,) = rows(answer("1.png", ("dots", 0.5)))
    assert (row["doubt"], row["none of these"]) == ("", "")


def test_a_number_stays_a_number():
    (row,) = rows(answer("1.png", ("dots", 1e-7)))
    assert float(row["probability"]) == 0.0


def test_no_answers_are_a_header():
    assert as_csv([]) == "file,answer,probability,doubt,none of these,reason\n"
