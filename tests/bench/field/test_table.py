"""Means, intervals and ranks of a benchmark's table."""

import pytest

from peft_demo.bench.field import printed
from peft_demo.bench.field.protocol import Score
from peft_demo.bench.field.published import Published
from peft_demo.bench.field.table import Figure, averaged, rows
from peft_demo.bench.field.vtab import VTAB

KITTI = next(task for task in VTAB.tasks if task.name == "kitti")


def line(accuracy, images=100, **more) -> dict:
    return {"test_accuracy": accuracy, "test_images": images, "trainable": 7, **more}


def test_a_mean_is_there_only_where_all_its_tasks_are():
    scores = [Score("lora", task.name, (line(0.5),), 3) for task in VTAB.tasks]
    (whole,) = rows(scores, VTAB)
    assert whole.group_mean.accuracy == whole.task_mean.accuracy == 0.5
    failed = [
        Score("lora", "kitti", (), 3, "no memory.") if s.task == "kitti" else s for s in scores
    ]
    (broken,) = rows(failed, VTAB)
    assert broken.group_mean is None and broken.task_mean is None
    assert set(broken.groups) == {"natural", "specialised"} and broken.error == "no memory."


def test_the_mean_of_groups_is_not_the_mean_of_tasks():
    value = {"natural": 0.9, "specialised": 0.6, "structured": 0.3}
    scores = [Score("ln", t.name, (line(value[t.group]),), 0) for t in VTAB.tasks]
    (row,) = rows(scores, VTAB)
    assert row.group_mean.accuracy == pytest.approx(0.6)
    assert row.task_mean.accuracy == pytest.approx((7 * 0.9 + 4 * 0.6 + 8 * 0.3) / 19)


def test_a_seed_that_failed_leaves_the_task_out():
    lines = (line(0.5), {"error": "no memory."})
    (row,) = rows([Score("ln", "kitti", lines, 0, "no memory.")], VTAB)
    assert row.tasks == {} and row.rank is None


def test_spread_is_over_seeds_and_the_interval_of_the_images():
    (row,) = rows([Score("ln", "kitti", (line(0.5), line(0.6)), 0)], VTAB)
    figure = row.tasks["kitti"]
    assert figure.accuracy == pytest.approx(0.55) and figure.spread == pytest.approx(0.1 / 2**0.5)
    low, high = figure.interval
    assert low == pytest.approx(0.4524, abs=1e-3) and high == pytest.approx(0.6438, abs=1e-3)


def test_errors_of_a_mean_are_independent():
    mean = averaged([Figure(0.5, (0.4, 0.6)), Figure(0.7, (0.6, 0.8))])
    assert mean.accuracy == pytest.approx(0.6)
    assert mean.interval[1] - mean.interval[0] == pytest.approx(0.2 / 2**0.5)


def test_published_figures_stand_below_with_their_protocol():
    found = rows([Score("lora", "kitti", (line(0.5),), 20)], VTAB)
    others = [Published("lora", "OSU", "last epoch", 72.9, 75.2)]
    text = printed.lines(VTAB, found, others, "ours", "text")
    assert text[0].split()[:2] == ["METHOD", "KITTI"] and "50.0 ± 9.6" in text[1]
    assert "72.9" in text[2] and text[2].endswith("published, last epoch")
    latex = printed.lines(VTAB, found, others, "ours", "latex")
    assert r"50.0 $\pm$ 9.6" in latex[3]
    csv = printed.lines(VTAB, found, others, "ours", "csv")
    assert csv[1].startswith("lora,50.00,") and '"lora, OSU"' in csv[2]
