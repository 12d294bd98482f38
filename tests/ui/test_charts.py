"""Charts are SVG that says what it shows."""

import re
from math import inf, nan

import pytest

from peft_demo.ui import charts
from peft_demo.ui.charts import Axes, Curve, decades, draw, thin, ticks

from .fake import EVIL


def test_a_chart_has_a_legend_of_names_and_says_what_it_shows():
    svg = draw("Loss", [Curve("mine", [(1, 2.0), (100, 0.125)]), Curve("yours", [(1, 3.0)])])
    assert re.findall('class="name">(.*?)<', svg) == ["mine", "yours"]
    label = re.search('role="img" aria-label="(.*?)"', svg)[1]
    assert label.startswith("Loss by step. mine: 2 at 1, 0.125 at 100.")


def test_names_are_text_and_long_ones_are_cut():
    svg = draw(EVIL, [Curve(EVIL, [(1, 1.0)]), Curve("x" * 200, [])])
    assert "<img" not in svg and "x" * 41 not in svg


def test_a_single_point_can_be_seen():
    svg = draw("Accuracy", [Curve("validation", [(3, 50.0)])])
    assert svg.count("<circle") == 1 and "<polyline" not in svg


def test_few_figures_are_marked_and_a_stream_is_a_line():
    points = [(n, 1 / n) for n in range(1, 50)]
    assert draw("Loss", [Curve("a", points)]).count("<circle") == 0
    marked = draw("Loss", [Curve("a", points, marked=True)])
    assert marked.count("<circle") == 49 and "a: 0.0204 at 49" in marked


def test_the_measured_curve_stands_faint_under_the_smooth_one():
    svg = draw("Loss", [Curve("a", [(1, 1.0), (2, 1.0)], faint=[(1, 0.5), (2, 1.5)])])
    assert re.findall('class="(faint|curve) c0"', svg) == ["faint", "curve"]


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("points", [[], [(1, nan)], [(1, inf)], [(0, 0.0)], [(1, 2.0), (2, 2.0)]])
def test_every_list_of_points_can_be_drawn(points, log):
    svg = draw("Loss", [Curve("a", points)], Axes(log=log))
    assert "nan" not in svg.replace("nan at", "") and "inf" not in svg


def places(svg: str) -> list[list[float]]:
    """Heights of the points of every curve, in pixels."""
    lines = re.findall('class="curve c[0-9]" points="(.*?)"', svg)
    return [[float(point.split(",")[1]) for point in line.split()] for line in lines]


def test_a_logarithmic_axis_has_true_ticks_at_equal_distances():
    svg = draw("Loss", [Curve("a", [(1, 100.0), (2, 10.0), (3, 1.0)])], Axes(log=True))
    ((first, second, third),) = places(svg)
    assert second - first == pytest.approx(third - second, abs=0.11)
    labels = re.findall('text-anchor="end">(.*?)<', svg)
    assert labels == ["1", "2", "5", "10", "20", "50", "100"]


@pytest.mark.parametrize(
    ("low", "high", "marks"),
    [
        (0, 100, [0, 25, 50, 75, 100]),
        (0, 7, [0, 2, 4, 6]),
        (0.1, 0.43, [0.1, 0.2, 0.3, 0.4]),
    ],
)
def test_ticks_are_round_numbers(low, high, marks):
    assert ticks(low, high) == pytest.approx(marks)


def test_an_axis_of_few_powers_has_ticks_between_them():
    assert decades(0.03, 2.4) == pytest.approx([0.05, 0.1, 0.2, 0.5, 1, 2])
    assert decades(1e-5, 1) == pytest.approx([1e-5, 1e-4, 1e-3, 1e-2, 0.1, 1])
    assert decades(0.31, 0.33) == [0.31, 0.33]


def test_long_figures_on_the_left_have_room():
    def left(*values: float) -> float:
        svg = draw("Rate", [Curve("a", list(enumerate(values)))])
        return float(re.search('<line x1="(.*?)"', svg)[1])

    assert left(0.00025, 0.001) > 6 * len("0.00025") > left(5.0, 9.0)


def test_a_long_curve_is_thinned_and_keeps_its_ends():
    points = [(n, float(n)) for n in range(10_000)]
    few = thin(points)
    assert len(few) == charts.POINTS
    assert (few[0], few[-1]) == (points[0], points[-1])
