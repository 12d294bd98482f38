"""A run's events become curves, a table and CSV."""

import csv
import re

import pytest

from peft_demo.contracts import events as ev
from peft_demo.ui.train import curves
from peft_demo.ui.train.points import smooth, steps, told

from .fake import EVIL, script
from .fake.examples import started

EVENTS = script(100)


def drawn(axis=curves.STEPS, log=False, **runs):
    folds = (curves.RATES, curves.TABLE)
    return curves.draw(runs or {"mine": EVENTS}, axis, log, folds)


def names(svg: str) -> list[str]:
    return re.findall('class="name">(.*?)<', svg)


def test_one_run_has_both_losses_and_the_raw_one_faint():
    loss = drawn()["loss"]
    assert names(loss) == ["training", "validation"]
    assert "faint c0" in loss and "mark c1" in loss


def test_one_validation_is_a_point():
    events = [started(100), ev.Stepped(1, 1.0, 1e-3, 9.0, 1.0, 1.0), EVENTS[13]]
    assert isinstance(events[-1], ev.Evaluated)
    assert drawn(mine=events)["accuracy"].count("<circle") == 1


def test_several_runs_stand_under_their_names():
    both = drawn(mine=EVENTS, yours=script(50))
    for name in ("loss", "accuracy", "rate"):
        assert names(both[name]) == ["mine", "yours"]
    assert both["table"].count("<caption>") == 2


def test_the_lower_axis_is_in_steps_or_in_seconds_of_learning():
    assert ">step<" in drawn()["loss"] and ">seconds<" in drawn(curves.SECONDS)["loss"]
    one = told(EVENTS)
    assert one.second(100) == pytest.approx(100 * 32 / 210)
    assert one.second(0) == 0 and told([]).second(5) == 0


def test_the_axis_is_as_long_as_the_run_will_be():
    labels = re.findall('text-anchor="middle">(.*?)<', drawn(mine=EVENTS[:20])["loss"])
    assert labels == ["0", "25", "50", "75", "100", "step"]


def test_gradients_are_drawn_where_they_were_told():
    assert "faint" not in drawn()["gradient"] and "<polyline" not in drawn()["gradient"]
    events = [ev.Stepped(n, 1.0, 1e-3, 9.0, 1.0, 1.0, grad_norm=n / 10) for n in (1, 2)]
    assert "<polyline" in drawn(mine=[started(2), *events])["gradient"]


def test_an_old_journal_without_gradients_is_read():
    line = ev.Stepped(1, 1.0, 1e-3, 9.0, 1.0, 1.0).to_json()
    del line["grad_norm"]
    assert ev.from_json(line) == ev.Stepped(1, 1.0, 1e-3, 9.0, 1.0, 1.0)


def test_names_of_runs_are_text():
    assert "<img" not in "".join(drawn(**{EVIL: EVENTS, "b": EVENTS}).values())


def test_the_table_holds_every_evaluation():
    table = drawn()["table"]
    rows = table.split("<tr>")[2:]
    assert len(rows) == 10
    assert "<td>100</td><td>15.2</td>" in rows[-1] and "99.5 % (97 to 100)" in rows[-1]


def test_the_csv_has_a_line_a_step_and_empty_fields_where_nothing_was_measured():
    rows = list(csv.DictReader(curves.as_csv({"mine": EVENTS}).splitlines()))
    assert len(rows) == 100
    assert rows[0]["validation_loss"] == "" and rows[0]["gradient_norm"] == ""
    assert float(rows[9]["validation_accuracy"]) == pytest.approx(1 - 0.9 * 0.95**10)
    assert rows[0]["validation_images"] == "" and rows[9]["validation_images"] == "160"
    assert list(curves.as_csv({}).splitlines()) == [",".join(curves.CSV_HEAD)]


def test_a_step_that_was_taken_twice_stands_there_once():
    events = [*EVENTS[:40], ev.Interrupted(), ev.Resumed(10), *EVENTS[15:]]
    place = float
    assert len(told(events).loss(place)) == 100
    assert len(told(events).accuracy(place)) == 10


def test_smoothing_begins_at_the_first_value():
    assert smooth([(1, 2.0)])[0] == pytest.approx((1, 2.0))
    assert smooth([(1, 2.0), (2, 2.0)])[-1][1] == pytest.approx(2.0)


def test_a_short_run_is_smoothed_less_than_a_long_one():
    def last(length: int) -> float:
        """Where the smoothed curve stands after a loss of 1 has become one of 0 for ten steps."""
        values = [1.0] * (length - 10) + [0.0] * 10
        return smooth(list(enumerate(values)))[-1][1]

    assert last(30) < 0.05 < last(200) < 0.5


def test_how_long_a_run_will_be_is_known_once_it_has_started():
    assert steps(EVENTS) == 100 and steps([]) == 0
