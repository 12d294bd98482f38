"""The drawings of a comparison: what accuracy costs, how the runs of a cell learned, and what more
shots bring."""

from collections.abc import Sequence

from ...contracts.comparison import ComparisonTable, LearningCurve
from .. import charts, scatter, text
from ..charts import Axes, Curve
from ..scatter import Drawing, Point
from ..titles import Titles
from .grid import Place, title_of

TRAINED = "trained"
BYTES = "bytes"
MEASURES = {"Numbers trained": TRAINED, "Bytes of the file": BYTES}

_DRAWINGS = {
    TRAINED: Drawing(
        title="Test accuracy against trained numbers, one point a method",
        caption="Test accuracy against all numbers that are trained, the head's among them. Up and "
        "to the left is better; the line joins those that no smaller one beats.",
        words=text.short,
    ),
    BYTES: Drawing(
        title="Test accuracy against file size, one point a method",
        caption="Test accuracy against the size of the file. Up and to the left is better; the "
        "line joins those that no smaller file beats.",
        words=text.size,
    ),
}


def costs(table: ComparisonTable, measure: str, titles: Titles) -> str:
    """HTML of the scatter; "" where there is nothing to compare yet."""
    groups: dict[str, list[Point]] = {}
    for row in table.rows:
        for data, cell in row.cells.items():
            cost = row.file_bytes if measure == BYTES else (row.trainable or 0) + (row.head or 0)
            if cell.accuracy is not None and cost:
                name = title_of(row.method, titles)
                point = Point(name, name, cost, cell.accuracy, cell.images)
                groups.setdefault(data, []).append(point)
    return scatter.draw(groups, _DRAWINGS[measure])


def learning(curves: Sequence[LearningCurve]) -> list[str]:
    """SVGs of validation loss and accuracy, a curve a seed."""
    shown = curves[: charts.COLOURS]
    losses = [
        Curve(f"seed {curve.seed}", [(step, loss) for step, loss, _ in curve.points])
        for curve in shown
    ]
    accuracies = [
        Curve(f"seed {curve.seed}", [(step, 100 * value) for step, _, value in curve.points])
        for curve in shown
    ]
    return [
        charts.draw("Validation loss", losses, Axes(low=0)),
        charts.draw("Validation accuracy, %", accuracies, Axes(low=0, high=100)),
    ]


def over_shots(tables: Sequence[ComparisonTable], place: Place, titles: Titles) -> str:
    """SVG: test accuracy over shots of a method and the best others on the same dataset; "" where
    there is one number of shots."""
    if len(tables) < 2:
        return ""
    points: dict[str, list[tuple[float, float]]] = {}
    for table in tables:
        for row in table.rows:
            cell = row.cells.get(place.data)
            if cell and cell.accuracy is not None:
                points.setdefault(row.method, []).append((table.shots, 100 * cell.accuracy))
    others = sorted(points, key=lambda word: (word != place.method, -points[word][-1][1]))
    curves = [
        Curve(title_of(word, titles), points[word], marked=True)
        for word in others[: charts.COLOURS]
    ]
    return charts.draw(f"Test accuracy on {place.data}, %", curves, Axes("shots", 0, 0, 100))
