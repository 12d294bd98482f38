"""`datasets` and `check`: the bundled datasets, and what a dataset gives before a run."""

from typing import Any

from ..contracts.cards import DataReport, DatasetCard
from .options import DataArgument, Json, Offline, Seed, Shots, with_reading
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


@with_reading
def check(
    data: DataArgument,
    shots: Shots = 16,
    seed: Seed = 0,
    offline: Offline = False,
    as_json: Json = False,
    reading: dict[str, Any] | None = None,
) -> None:
    """Tell what a dataset gives: classes, counts, and what would be left out and why."""
    with open_studio(offline=offline) as studio, Progress() as progress:
        spec = studio.data.read(data, shots, seed, **reading or {})
        report = studio.data.check(spec, progress.report)
    print_answer(_report_value(report), _report_lines(report), as_json)


def _report_value(report: DataReport) -> dict:
    return {
        "title": report.title,
        "classes": [dict(zip(COUNTS, row, strict=True)) for row in _counts(report)],
        "reading": report.reading,
        "alternatives": [{"text": a.text, "flags": a.flags} for a in report.alternatives],
        "rejected": report.rejected,
        "notices": report.notices,
        "problem": report.problem,
        "doubt": report.doubt,
        "window": report.window.values,
        "ground": report.window.ground,
    }


def _report_lines(report: DataReport) -> list[str]:
    head = [name.upper() for name in COUNTS]
    return [
        *([f"read as: {report.reading}."] if report.reading else []),
        *table([head, *_counts(report)]),
        *(f"left out: {file}: {reason}" for file, reason in report.rejected),
        *report.notices,
        *(f"or {other.flags}: {other.text}." for other in report.alternatives),
        _verdict(report),
    ]


def _verdict(report: DataReport) -> str:
    if report.problem:
        return f"cannot be trained on: {report.problem}"
    if report.doubt:
        return f"can be trained on, but look first: {report.doubt}"
    return "ready to train."


def _counts(report: DataReport) -> list[tuple[str, int, int, int, int]]:
    return [(c.name, c.found, c.train, c.val, c.test) for c in report.counts]
