"""The critical difference of mean ranks, against Demšar's tables."""

import re

import pytest

from peft_demo.bench.field.critical import Critical, critical, picture
from peft_demo.bench.field.table import Figure, Row


def row(method: str, *accuracies: float) -> Row:
    tasks = {str(n): Figure(a, (a, a)) for n, a in enumerate(accuracies)}
    return Row(method, tasks, {}, None, None, None, None, 0)


@pytest.mark.parametrize(("k", "q"), [(2, 1.960), (3, 2.343), (4, 2.569), (10, 3.164)])
def test_the_difference_is_that_of_the_table(k, q):
    """Demšar 2006, Table 5a: q at 5 % for k classifiers."""
    found = critical([row(str(n), *[n / 20 + t / 100 for t in range(14)]) for n in range(k)])
    assert found.difference == pytest.approx(q * (k * (k + 1) / (6 * 14)) ** 0.5, abs=2e-3)
    assert list(found.ranks) == [str(n) for n in reversed(range(k))] and found.tasks == 14


def test_methods_that_differ_everywhere_are_told_apart_and_equal_ones_are_not():
    rows = [
        row(name, *[base + n / 1000 for n in range(19)])
        for name, base in (("a", 0.9), ("b", 0.5), ("c", 0.1))
    ]
    found = critical(rows)
    assert found.p_value < 1e-6 and found.groups == []
    near = Critical({"a": 1.5, "b": 2.0, "c": 2.9, "d": 3.6}, 10, 1.0, 0.01)
    assert near.groups == [["a", "b"], ["b", "c"], ["c", "d"]]
    assert Critical({"a": 1.5, "b": 1.6, "c": 1.7}, 10, 1.0, 0.5).groups == [["a", "b", "c"]]


def test_ranks_need_two_methods_that_share_a_task():
    assert critical([row("a", 0.5)]) is None
    assert critical([row("a", 0.5), row("b")]) is None
    assert "Friedman" not in critical([row("a", 0.5, 0.6), row("b", 0.4, 0.7)]).in_words()


def test_the_picture_has_every_method_its_rank_and_a_bar_for_each_group():
    near = Critical({"a<b": 1.5, "b": 2.0, "c": 2.9, "d": 3.6}, 10, 1.0, 0.01)
    svg = picture(near)
    assert "a&lt;b 1.50" in svg and "d 3.60" in svg and "CD 1.00" in svg
    assert len(re.findall('stroke-width="4"', svg)) == 3
