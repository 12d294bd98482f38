"""Which methods of a benchmark cannot be told apart by their mean ranks, and a picture of it.

Demšar, "Statistical Comparisons of Classifiers over Multiple Data Sets", JMLR 2006: Friedman's test
says whether any differ, Nemenyi's which two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from ...studio.comparison.ranks import critical_difference, mean_ranks, shared_tasks
from .table import Row

WIDTH, MARGIN, LINE = 720, 200, 22
"""Pixels: of the picture, left and right of the axis, of a method's line."""


@dataclass(frozen=True)
class Critical:
    """What the mean ranks of methods over their shared tasks tell."""

    ranks: Mapping[str, float]
    """Best first."""
    tasks: int
    difference: float
    """CD: mean ranks further apart than this differ."""
    p_value: float | None
    """Of Friedman's test; None for two methods, which it does not take."""

    @property
    def groups(self) -> list[list[str]]:
        """Longest runs of two or more methods, none of which can be told from another."""
        names = list(self.ranks)
        found: list[list[str]] = []
        for place, name in enumerate(names):
            furthest = self.ranks[name] + self.difference
            near = [other for other in names[place:] if self.ranks[other] <= furthest]
            if len(near) > 1 and not (found and found[-1][-1] == near[-1]):
                found.append(near)
        return found

    def in_words(self) -> str:
        """What stands below a table."""
        any_differ = "" if self.p_value is None else f"Friedman's test p = {self.p_value:.2g}; "
        return (
            f"Mean ranks over {self.tasks} tasks: {any_differ}methods whose ranks lie within "
            f"{self.difference:.2f} cannot be told apart (Nemenyi, 5 %)."
        )


def critical(rows: Sequence[Row]) -> Critical | None:
    """Of the rows of a table; None where fewer than two methods share a task."""
    from scipy.stats import friedmanchisquare

    accuracies = {r.method: {t: f.accuracy for t, f in r.tasks.items()} for r in rows if r.tasks}
    ranks = mean_ranks(accuracies)
    if not ranks:
        return None
    shared = sorted(shared_tasks(accuracies))
    p_value = None
    if len(ranks) > 2:
        values = [[own[task] for task in shared] for own in accuracies.values()]
        p_value = float(friedmanchisquare(*values).pvalue)
    ordered = dict(sorted(ranks.items(), key=lambda item: item[1]))
    apart = critical_difference(len(ranks), len(shared))
    return Critical(ordered, len(shared), apart, p_value)


def picture(critical: Critical) -> str:
    """The critical-difference diagram as SVG: an axis of ranks, a bar for each group."""
    names = list(critical.ranks)
    k = len(names)
    left = names[: (k + 1) // 2]
    bars = critical.groups
    top = 60 + 12 * len(bars)
    height = top + LINE * (len(left) + 1)
    parts = [_line(MARGIN, 40, WIDTH - MARGIN, 40)]
    for rank in range(1, k + 1):
        x = _place(rank, k)
        parts += [_line(x, 34, x, 40), _text(x, 28, str(rank), "middle")]
    end = _place(1 + min(critical.difference, k - 1), k)
    parts += [_line(MARGIN, 10, end, 10, 2), _text(end + 6, 14, f"CD {critical.difference:.2f}")]
    for number, bar in enumerate(bars):
        first, last = (_place(critical.ranks[name], k) for name in (bar[0], bar[-1]))
        parts.append(_line(first - 3, 52 + 12 * number, last + 3, 52 + 12 * number, 4))
    for place, name in enumerate(names):
        on_left = name in left
        y = top + LINE * (place if on_left else k - 1 - place)
        x = _place(critical.ranks[name], k)
        edge = MARGIN - 10 if on_left else WIDTH - MARGIN + 10
        parts += [_line(x, 40, x, y), _line(x, y, edge, y)]
        words = f"{name} {critical.ranks[name]:.2f}"
        parts.append(
            _text(edge + (-6 if on_left else 6), y + 4, words, "end" if on_left else "start")
        )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'font-family="sans-serif" font-size="12"><rect width="100%" height="100%" fill="white"/>'
        f"{''.join(parts)}</svg>\n"
    )


def _place(rank: float, methods: int) -> float:
    """Where a rank stands on the axis, pixels."""
    return MARGIN + (rank - 1) / (methods - 1) * (WIDTH - 2 * MARGIN)


def _line(x1: float, y1: float, x2: float, y2: float, width: int = 1) -> str:
    ends = f'x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"'
    return f'<line {ends} stroke="black" stroke-width="{width}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
