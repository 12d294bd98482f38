"""Two adapters on the same images, against figures from textbooks."""

import pytest

from peft_demo.contracts.paired import Paired

FLU = Paired(both=794, only_first=86, only_second=150, neither=570)
"""Agresti, Categorical Data Analysis, table 10.1: approval of the prime minister, 1,600 asked."""


def test_the_interval_is_that_of_the_textbook():
    """Wald's is 0.040 ± 0.019; half a person more in each cell moves it by less than a
    thousandth."""
    low, high = FLU.interval
    assert FLU.difference == pytest.approx(-0.04)
    assert (low, high) == pytest.approx((-0.0587, -0.0212), abs=5e-4)


def test_the_exact_test_is_that_of_coins():
    assert Paired(10, 1, 9, 0).p_value == pytest.approx(2 * 11 / 1024)
    assert Paired(10, 5, 5, 0).p_value == 1.0
    assert Paired(10, 0, 0, 3).p_value == 1.0
    assert FLU.p_value < 0.001 and FLU.is_distinguishable


def test_it_is_said_in_words():
    same = Paired(300, 14, 18, 8)
    words = same.in_words("arc", "lora")
    assert words.startswith("arc - lora = -1.2 points, -4.")
    assert words.endswith("on 340 images, p = 0.6: not distinguishable")
    assert FLU.in_words("a", "b").endswith("p < 0.001")


def test_the_interval_stays_within_what_is_possible():
    low, high = Paired(0, 2, 0, 0).interval
    assert -1 <= low < high <= 1
