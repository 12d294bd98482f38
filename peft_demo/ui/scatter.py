"""A drawing of accuracy against what it costs: points, and the line of those that nothing cheaper
beats.

A table or cards beside it hold the same figures for those who cannot see it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from math import ceil, floor, log10

from ..contracts.accuracy import in_words

WIDTH = 960
HEIGHT = 250
LEFT = 60
RIGHT = 130
TOP = 16
BOTTOM = 34
"""Pixels of the drawing, and of its margins."""
LETTER = 7.2
"""Pixels that a letter takes at most on average."""
Box = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels."""


MOST = 4
"""Datasets that are drawn together, those with the most points."""


@dataclass(frozen=True)
class Point:
    id: str
    name: str
    """What stands beside it."""
    cost: float
    accuracy: float
    """On test images, from 0 to 1."""
    images: int
    """Test images."""


@dataclass(frozen=True)
class Drawing:
    """What a drawing is about."""

    title: str
    caption: str
    words: Callable[[float], str]
    """A cost → how it is written: 311 kB."""
    pressable: bool = False
    """Whether a press on a point does something."""


def frontier(points: Sequence[Point]) -> list[Point]:
    """The points that none of the same or a lower cost beats, by cost."""
    best: list[Point] = []
    for point in sorted(points, key=lambda point: (point.cost, -point.accuracy)):
        if not best or point.accuracy > best[-1].accuracy:
            best.append(point)
    return best


def draw(groups: Mapping[str, Sequence[Point]], drawing: Drawing) -> str:
    """HTML: costs on a logarithmic axis, test accuracy, and for each dataset the line of its best;
    "" where there is nothing to compare.
    """
    shown = dict(list(groups.items())[:MOST])
    every = [point for group in shown.values() for point in group]
    if len(every) < 2:
        return ""
    axes = _Axes(every)
    labels = _Labels(axes, every)
    parts = [*axes.costs(drawing.words), *axes.accuracies()]
    for dataset, group in shown.items():
        best = frontier(group)
        line = " ".join(f"{axes.x(p.cost):.1f},{axes.y(p.accuracy):.1f}" for p in best)
        parts.append(f'<polyline points="{line}" class="best"/>')
        added = f" · {dataset}" if len(shown) > 1 else ""
        for point in sorted(group, key=lambda point: point not in best):
            look = "point best" if point in best else "point"
            place = axes.x(point.cost), axes.y(point.accuracy)
            label = _label(point, labels, added)
            parts.append(_point(point, place, look, label, drawing))
    return (
        f'<div class="scatter"><p>{escape(drawing.caption)}</p><div>'
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="group" aria-label="{escape(drawing.title)}">'
        f"{''.join(parts)}</svg></div></div>"
    )


class _Axes:
    """From figures to pixels."""

    def __init__(self, points: Sequence[Point]):
        powers = [log10(max(1, point.cost)) for point in points]
        self.first = floor(min(powers))
        self.last = max(ceil(max(powers)), self.first + 1)
        accuracies = [point.accuracy for point in points]
        self.low = max(0.0, floor(20 * min(accuracies) - 0.5) / 20)
        self.high = min(1.0, ceil(20 * max(accuracies) + 0.5) / 20)

    def x(self, cost: float) -> float:
        share = (log10(max(1, cost)) - self.first) / (self.last - self.first)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    def y(self, accuracy: float) -> float:
        share = (accuracy - self.low) / (self.high - self.low)
        return HEIGHT - BOTTOM - share * (HEIGHT - BOTTOM - TOP)

    def costs(self, words: Callable[[float], str]) -> list[str]:
        """Ticks of the costs, one a decade."""
        marks = []
        for power in range(self.first, self.last + 1):
            x = self.x(10**power)
            marks.append(f'<line x1="{x}" x2="{x}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>')
            word = escape(words(10**power))
            marks.append(f'<text x="{x}" y="{HEIGHT - 12}" text-anchor="middle">{word}</text>')
        return marks

    def accuracies(self) -> list[str]:
        """Ticks of the accuracies: the lowest, the middle and the highest."""
        marks = []
        for accuracy in (self.low, (self.low + self.high) / 2, self.high):
            y = self.y(accuracy)
            word = f"{100 * accuracy:.3g} %"
            marks.append(f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{y:.1f}" y2="{y:.1f}"/>')
            marks.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{word}</text>')
        return marks


class _Labels:
    """Finds room for the words beside the points: to the right, to the left, above or below."""

    def __init__(self, axes: _Axes, points: Sequence[Point]):
        self._axes = axes
        self._taken = [self._around(point) for point in points]

    def place(self, point: Point, words: str) -> tuple[float, float] | None:
        """Where the words begin, in pixels; None where there is no room."""
        x = self._axes.x(point.cost)
        y = self._axes.y(point.accuracy)
        width = LETTER * len(words)
        middle = x - width / 2
        for left, base in (
            (x + 11, y + 4),
            (x - 11 - width, y + 4),
            (middle, y - 12),
            (middle, y + 22),
        ):
            box = left, base - 11, left + width, base + 3
            inside = left > LEFT and left + width < WIDTH and TOP < base < HEIGHT - BOTTOM
            if inside and not any(_overlap(box, other) for other in self._taken):
                self._taken.append(box)
                return left, base
        return None

    def _around(self, point: Point) -> Box:
        x = self._axes.x(point.cost)
        y = self._axes.y(point.accuracy)
        return x - 7, y - 7, x + 7, y + 7


def _overlap(one: Box, other: Box) -> bool:
    across = one[0] < other[2] and other[0] < one[2]
    return across and one[1] < other[3] and other[1] < one[3]


def _point(
    point: Point, place: tuple[float, float], look: str, label: str, drawing: Drawing
) -> str:
    accuracy = in_words(point.accuracy, point.images)
    words = escape(f"{point.id}: {accuracy}; {drawing.words(point.cost)}")
    x, y = place
    role = 'role="img"'
    if drawing.pressable:
        role = f'data-id="{escape(point.id)}" tabindex="0" role="button"'
    return (
        f'<g class="{look}" {role} aria-label="{words}"><title>{words}</title>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="12" class="reach"/>'
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6"/>{label}</g>'
    )


def _label(point: Point, labels: _Labels, added: str) -> str:
    words = f"{point.name}{added}"
    place = labels.place(point, words)
    if place is None:
        return ""
    return f'<text x="{place[0]:.1f}" y="{place[1]:.1f}">{escape(words)}</text>'
