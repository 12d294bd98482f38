"""`evaluate`: how often an adapter is right, and where it errs."""

from typing import Annotated, Any

from typer import Option

from ..contracts.accuracy import in_words
from ..contracts.score import ClassScore, Score
from .options import Adapter, Data, Json, Offline, Zoo, with_reading
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table

HEAD = ("class", "images", "precision", "recall", "F1")
MISTAKES = 5
"""Pairs of classes that are listed, those that are confused most often."""


@with_reading
def evaluate(
    adapter: Adapter,
    data: Data,
    against: Annotated[
        str,
        Option(metavar="ADAPTER", help="Another one, on the same images: are they far apart?"),
    ] = "",
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
    reading: dict[str, Any] | None = None,
) -> None:
    """Measure an adapter on a dataset; images it was trained on are left out."""
    with open_studio(zoo, offline) as studio, Progress() as progress:
        spec = studio.data.read(data, **reading or {})
        id = studio.zoo.find(adapter)
        other = studio.zoo.find(against) if against else ""
        if other:
            score, pairs = studio.answers.compare(id, other, spec, progress.report)
        else:
            score, pairs = studio.answers.evaluate(id, spec, progress.report), None
    value = score.to_json()
    lines = _lines(score)
    if pairs:
        value["against"] = {"adapter": other, **pairs.to_json()}
        lines.append(pairs.in_words(id, other))
    print_answer(value, lines, as_json)


def _lines(score: Score) -> list[str]:
    """A row for each class, what was confused most often, and the accuracy with its interval."""
    rows = [_row(entry) for entry in score.classes]
    confused = [
        f"{count} x {label} taken for {answer}" for count, label, answer in score.mistakes()
    ]
    total = f"{in_words(score.accuracy, score.images)}; macro F1 {_share(score.macro_f1)}"
    left_out = f"{score.left_out} left out, seen in training"
    truth = f"calibration error {_share(score.calibration_error)}; Brier {_share(score.brier)}"
    lines = [*table([HEAD, *rows]), *confused[:MISTAKES], f"{total}; {left_out}", truth]
    if score.called_none is not None:
        lines.append(f"{score.called_none} of {score.images} called none of its classes")
    return lines


def _row(entry: ClassScore) -> tuple[object, ...]:
    shares = map(_share, (entry.precision, entry.recall, entry.f1))
    return (entry.name, entry.images, *shares)


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
