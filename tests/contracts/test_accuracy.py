"""How an accuracy is said: counts, and an interval."""

import pytest

from peft_demo.contracts.accuracy import (
    in_short,
    in_words,
    interval,
    mean_interval,
    without_range,
)


@pytest.mark.parametrize(
    ("right", "images", "low", "high"),
    [(91, 100, 0.8377, 0.9519), (4, 4, 0.5101, 1.0), (0, 10, 0.0, 0.2775), (1, 2, 0.0945, 0.9055)],
)
def test_the_interval_is_that_of_wilson(right, images, low, high):
    """Figures of statsmodels' `proportion_confint(..., method="wilson")`."""
    assert interval(right, images) == pytest.approx((low, high), abs=1e-4)


@pytest.mark.parametrize(
    ("accuracy", "images", "words", "short"),
    [
        (0.91, 100, "91 of 100 right, 84 to 95 %", "91.0 % (84 to 95)"),
        (1.0, 4, "4 of 4 right, 51 to 100 %", "4 of 4 (51 to 100 %)"),
        (1 / 3, 3, "1 of 3 right, 6 to 79 %", "1 of 3 (6 to 79 %)"),
        (0.942, 5000, "4,710 of 5,000 right, 93.5 to 94.8 %", "94.2 % (93.5 to 94.8)"),
        (None, 0, "not measured", "not measured"),
        (None, 7, "not measured", "not measured"),
        (0.0, 0, "not measured", "not measured"),
    ],
)
def test_counts_come_first(accuracy, images, words, short):
    assert in_words(accuracy, images) == words
    assert in_short(accuracy, images) == short
    assert without_range(accuracy, images) == short.partition(" (")[0]


def test_the_interval_of_a_mean_is_narrower_than_those_of_its_figures():
    low, high = mean_interval([(0.5, 0.7), (0.7, 0.9), (0.2, 0.4), (0.6, 0.8)])
    assert (low, high) == pytest.approx((0.6 - 0.05, 0.6 + 0.05))
    assert mean_interval([(0.1, 0.4)]) == pytest.approx((0.1, 0.4))
