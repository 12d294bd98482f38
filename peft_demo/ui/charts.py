"""Line charts as SVG: curves with their points and a legend of their names, on linear or
logarithmic axes. Everything is escaped.

A chart says in its label what it shows; whoever draws one offers its figures as a table, too.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from math import floor, isfinite, log10

WIDTH = 360
HEIGHT = 240
LEFT = 30
RIGHT = 22
BOTTOM = 38
"""Pixels of the drawing, and of its margins at least; the legend and the figures on the left axis
make room for themselves."""
EDGE = 8.0
"""Pixels left of the title and the legend."""
LINE = 18
"""Pixels of a line of the legend."""
LETTER = 6.4
"""Pixels of a letter of the legend, about."""
POINTS = 300
"""Most points that a curve is drawn through."""
MARKED = 60
"""Most points of a curve that are marked."""
COLOURS = 4
"""Curves that have a colour of their own; the style sheet names it."""

Points = Sequence[tuple[float, float]]


@dataclass(frozen=True)
class Curve:
    name: str
    points: Points
    faint: Points = ()
    """What was measured, where `points` are smoothed."""
    marked: bool = False
    """Whether each point is to be seen: few figures, not a stream of them."""
    colour: int = -1
    """Number of its colour; -1 is its place among the curves."""


@dataclass(frozen=True)
class Axes:
    """How a chart is scaled."""

    x_title: str = "step"
    x_end: float = 0.0
    """The axis goes this far at least."""
    low: float | None = None
    high: float | None = None
    """Of the values; None takes those that there are."""
    log: bool = False


def draw(title: str, curves: Sequence[Curve], axes: Axes | None = None) -> str:
    """SVG of the curves; an empty frame where there are no finite points yet."""
    axes = axes or Axes()
    curves = [_drawable(n, curve, axes.log) for n, curve in enumerate(curves)]
    top, legend = _legend(curves)
    scale = _Scale(curves, axes, top)
    lines = "".join(_curve(curve, scale) for curve in curves)
    heading = f'<text x="8" y="18" class="title">{escape(title)}</text>'
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" class="chart" role="img" '
        f'aria-label="{escape(_in_words(title, curves, axes))}">'
        f"{heading}{legend}{scale.frame()}{lines}</svg>"
    )


def thin(points: Points, most: int = POINTS) -> Points:
    """At most `most` points, the first and the last among them."""
    if len(points) <= most:
        return points
    stride = (len(points) - 1) / (most - 1)
    return [points[round(i * stride)] for i in range(most)]


def number(value: float) -> str:
    """A figure on an axis or in a table: 0.0123, 1,200, 3e-05."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"


def _drawable(n: int, curve: Curve, log: bool) -> Curve:
    """The curve in its colour, without what has no place on the axes."""
    colour = (n if curve.colour < 0 else curve.colour) % COLOURS
    points = _finite(curve.points, log)
    return replace(curve, points=points, faint=_finite(curve.faint, log), colour=colour)


def _finite(points: Points, log: bool) -> Points:
    sound = [(float(x), float(y)) for x, y in points if isfinite(x) and isfinite(y)]
    return [(x, y) for x, y in sound if y > 0] if log else sound


def _in_words(title: str, curves: Sequence[Curve], axes: Axes) -> str:
    """What the chart shows, for those who cannot see it."""
    words = [f"{title} by {axes.x_title}."]
    for curve in curves:
        if curve.points:
            (first_x, first), (last_x, last) = curve.points[0], curve.points[-1]
            begins = f"{number(first)} at {number(first_x)}"
            words.append(f"{curve.name}: {begins}, {number(last)} at {number(last_x)}.")
    return " ".join(words)


def _legend(curves: Sequence[Curve]) -> tuple[int, str]:
    """Pixels that it takes above the chart, and SVG: each name beside its colour."""
    x = EDGE
    y = LINE + 18
    parts = []
    for curve in curves:
        name = curve.name if len(curve.name) <= 40 else f"{curve.name[:39]}…"
        width = 22 + LETTER * len(name)
        if x > EDGE and x + width > WIDTH:
            x = EDGE
            y += LINE
        place = f'x="{x:.0f}" y="{y - 6}" width="14" height="4" rx="2"'
        parts.append(
            f'<rect {place} class="key c{curve.colour}"/>'
            f'<text x="{x + 19:.0f}" y="{y}" class="name">{escape(name)}</text>'
        )
        x += width + 10
    return y + 10, "".join(parts)


class _Scale:
    """From figures to pixels."""

    def __init__(self, curves: Sequence[Curve], axes: Axes, top: int):
        points = [point for curve in curves for point in (*curve.points, *curve.faint)]
        values = [y for _, y in points]
        self.top = top
        self.axes = axes
        self.x_end = max([axes.x_end, *(x for x, _ in points)]) or 1.0
        low = axes.low if axes.low is not None else min(values, default=0.1 if axes.log else 0.0)
        high = axes.high if axes.high is not None else max(values, default=1.0)
        if high <= low:
            low, high = (low / 2, low * 2) if axes.log else (low - 0.5, low + 0.5)
        self.low, self.high = low, high
        self.marks = decades(low, high) if axes.log else ticks(low, high)
        self.left = max(LEFT, 14 + LETTER * max(len(number(mark)) for mark in self.marks))

    def x(self, value: float) -> float:
        return self.left + (WIDTH - self.left - RIGHT) * value / self.x_end

    def y(self, value: float) -> float:
        low, high = self.low, self.high
        if self.axes.log:
            low, high, value = log10(low), log10(high), log10(value)
        share = (value - low) / (high - low)
        return HEIGHT - BOTTOM - (HEIGHT - BOTTOM - self.top) * min(1.0, max(0.0, share))

    def line(self, points: Points) -> str:
        return " ".join(f"{self.x(x):.1f},{self.y(y):.1f}" for x, y in points)

    def frame(self) -> str:
        """Ticks of both axes and the title of the lower one."""
        parts = [self._across(value) for value in self.marks]
        parts += [self._down(value) for value in ticks(0.0, self.x_end)]
        middle = (self.left + WIDTH - RIGHT) / 2
        title = escape(self.axes.x_title)
        parts.append(f'<text x="{middle:.1f}" y="{HEIGHT - 4}" text-anchor="middle">{title}</text>')
        return "".join(parts)

    def _across(self, value: float) -> str:
        y = self.y(value)
        line = f'<line x1="{self.left:.1f}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>'
        place = f'x="{self.left - 6:.1f}" y="{y + 4:.1f}"'
        return f'{line}<text {place} text-anchor="end">{number(value)}</text>'

    def _down(self, value: float) -> str:
        x = self.x(value)
        y = HEIGHT - BOTTOM + 16
        return f'<text x="{x:.1f}" y="{y}" text-anchor="middle">{number(value)}</text>'


def ticks(low: float, high: float, about: int = 4) -> list[float]:
    """Round numbers between the two, some `about` of them: 0, 50, 100."""
    rough = (high - low) / about
    power = 10.0 ** floor(log10(rough))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10) if power * factor >= 0.999 * rough)
    first = floor(low / step)
    marks = [step * n for n in range(first, first + 3 * about)]
    slack = 1e-9 * step
    return [mark for mark in marks if low - slack <= mark <= high + slack]


def decades(low: float, high: float) -> list[float]:
    """Ticks of a logarithmic axis: powers of ten, and where these are few also 2 and 5 times
    them.
    """
    powers = range(floor(log10(low)), floor(log10(high)) + 1)
    factors = (1, 2, 5) if high / low < 1000 else (1,)
    marks = [factor * 10.0**power for power in powers for factor in factors]
    inside = [mark for mark in marks if low <= mark <= high]
    return inside if len(inside) >= 2 else [low, high]


def _curve(curve: Curve, scale: _Scale) -> str:
    colour = f"c{curve.colour}"
    points = thin(curve.points)
    parts = []
    if curve.faint:
        line = scale.line(thin(curve.faint))
        parts.append(f'<polyline class="faint {colour}" points="{line}"/>')
    if len(points) > 1:
        line = scale.line(points)
        parts.append(f'<polyline class="curve {colour}" points="{line}"/>')
    if curve.marked or len(points) == 1:
        parts += [_mark(x, y, curve.name, colour, scale) for x, y in thin(points, MARKED)]
    return "".join(parts)


def _mark(x: float, y: float, name: str, colour: str, scale: _Scale) -> str:
    words = escape(f"{name}: {number(y)} at {number(x)}")
    place = f'cx="{scale.x(x):.1f}" cy="{scale.y(y):.1f}"'
    return f'<circle class="mark {colour}" {place} r="2.8"><title>{words}</title></circle>'
