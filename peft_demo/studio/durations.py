"""How long a run would take, going by earlier runs like it on this machine."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from statistics import median

from ..contracts.events import Finished
from ..contracts.specs import RunSpec
from .record import Record

LATEST = 3
"""Earlier runs that are asked."""


def estimated(run: RunSpec, steps: int, records: Sequence[Record]) -> float | None:
    """Seconds of `steps` steps, None where no run like it has ended here; the median of the latest.

    `records` are the runs, latest first; `run` and theirs name backbones as they were chosen.
    """
    seconds = [_scaled(record.spec, ended, steps) for record, ended in _like(run, records)]
    return median(seconds) if seconds else None


def _like(run: RunSpec, records: Sequence[Record]) -> Iterator[tuple[Record, Finished]]:
    """The latest runs whose steps take as long, with their ends."""
    count = 0
    for record in records:
        if _kind(record.spec) != _kind(run):
            continue
        last = record.journal.last()
        if type(last) is Finished and last.step and last.images_per_second > 0:
            count += 1
            yield record, last
        if count == LATEST:
            return


def _kind(run: RunSpec) -> tuple[object, ...]:
    """What decides how long a step takes, the machine aside."""
    recipe = run.recipe
    knobs = replace(run, origin=None).to_json()["knobs"]
    return run.method, knobs, run.backbone, run.size, recipe.batch, recipe.augment, bool(run.tune)


def _scaled(run: RunSpec, ended: Finished, steps: int) -> float:
    """The earlier run's seconds, of which those of learning go with the steps."""
    learning = min(ended.seconds, ended.step * run.recipe.batch / ended.images_per_second)
    return ended.seconds - learning + learning * steps / ended.step
