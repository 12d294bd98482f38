"""`datasets` and `check`: the bundled datasets, and what a dataset gives before a run."""

from ..contracts.cards import DataReport, DatasetCard
from .options import Column, DataArgument, Json, Offline, Seed, Shots
from .progress import Progress
from .services import open_studio
from .terminal import print_answer, table

COUNTS = ("class", "found", "train", "val", "test")


def list_datasets(as_json: Json = False) -> None:
    """List the bundled datasets."""
    with open_studio() as studio:
        cards = studio.data.datasets()
    print_answer([vars(card) for card in cards], table(map(_row, cards)), as_json)


def _row(card: DatasetCard) -> tuple[str, ...]:
    return card.name, f"{len(card.classes)} classes", f"{card.images} images", card.summary


def check(
    data: DataArgument,
    shots: Shots = 16,
    seed: Seed = 0,
    image_column: Column = "",
    label_column: Column = "",
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Tell what a dataset gives: classes, counts, and what would be left out and why."""
    with open_studio(offline=offline) as studio, Progress() as progress:
        spec = studio.data.read(data, shots, seed, image_column, label_column)
        report = studio.data.check(spec, progress.report)
    print_answer(_report_value(report), _report_lines(report), as_json)


def _report_value(report: DataReport) -> dict:
    return {
        "title": report.title,
        "classes": [dict(zip(COUNTS, row, strict=True)) for row in _counts(report)],
        "rejected": report.rejected,
        "notices": report.notices,
        "problem": report.problem,
    }


def _report_lines(report: DataReport) -> list[str]:
    head = [name.upper() for name in COUNTS]
    verdict = f"cannot be trained on: {report.problem}" if report.problem else "ready to train."
    return [
        *table([head, *_counts(report)]),
        *(f"left out: {file}: {reason}" for file, reason in report.rejected),
        *report.notices,
        verdict,
    ]


def _counts(report: DataReport) -> list[tuple[str, int, int, int, int]]:
    return [(c.name, c.found, c.train, c.val, c.test) for c in report.counts]
