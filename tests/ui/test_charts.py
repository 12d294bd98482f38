"""LinePlot's rules (see the module's docstring) hold for every frame it is given."""

from math import isnan, nan

import pytest

from peft_demo.ui import charts

from .fake import script


@pytest.mark.parametrize("points", [[], [(1, 2.0)], [(n, 1.0) for n in range(5000)]])
def test_every_series_opens_with_a_nan_row(points):
    """The rows before any point name every series, or LinePlot would never draw one that begins
    later.
    """
    frame = charts.frame({"train": points, "validation": []})
    opening = len(charts.SERIES)
    assert tuple(frame["series"][:opening]) == charts.SERIES
    assert all(isnan(v) for v in frame["value"][:opening])
    assert str(frame["step"].dtype) == str(frame["value"].dtype) == "float64"


def test_long_series_are_thinned_and_keep_their_ends():
    points = [(n, float(n)) for n in range(20_000)]
    thinned = charts.thin(points)
    assert len(thinned) == charts.POINTS and thinned[0] == points[0] and thinned[-1] == points[-1]


def test_values_that_are_not_finite_are_left_out():
    assert (
        len(charts.frame({"train": [(1, nan), (2, float("inf")), (3, 1.0)]}))
        == len(charts.SERIES) + 1
    )


def test_smoothing_leaves_a_constant_alone_and_starts_at_the_first_value():
    assert [v for _, v in charts.smooth([(n, 3.0) for n in range(50)])] == pytest.approx([3.0] * 50)
    assert charts.smooth([(1, 5.0), (2, 0.0)])[0] == (1, pytest.approx(5.0))


def test_the_logarithm_drops_zeros():
    assert charts.logarithm([(1, 100.0), (2, 0.0)]) == [(1, 2.0)]


def test_a_run_gives_both_curves():
    """Zero losses count: nothing is dropped because it is falsy."""
    events = script(100)
    losses = charts.losses(events)
    assert len(losses[charts.TRAIN]) == 100 and len(losses[charts.VAL]) == 10
    assert charts.steps(events) == 100
    assert max(v for _, v in charts.validation_accuracy(events)) > 90
