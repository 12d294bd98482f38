"""Runs on one backbone, each kept as a line as soon as it ends: one after the other, or some at a
time (`workers.py`)."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Protocol

from ..contracts.accuracy import in_short
from ..contracts.specs import DataSpec, Recipe, RunSpec
from ..studio import Studio
from ..studio.comparison.contenders import Contender
from ..studio.comparison.results import Line, Results
from ..training import search
from ..vit import Backbone
from .clock import Clock
from .cluster import Cluster
from .on_ray import RayWorkers
from .runner import Measured, Runner
from .workers import Outcome, Workers, Workplace


class Progress(Protocol):
    """Where a sweep says how far it is; the command line's `Progress` is one."""

    def report(self, what: str, fraction: float = -1.0) -> None:
        """A `contracts.progress.Report`."""
        ...

    def line(self, text: str) -> None:
        """A line that stays."""
        ...


@dataclass(frozen=True)
class Job:
    """A run to do. `word` names its contender, `note` is what else tells it from its neighbours."""

    word: str
    run: RunSpec
    note: str = ""

    @property
    def title(self) -> str:
        rate = f"lr {self.run.recipe.lr:g}"
        if self.run.tune:
            rate = f"{self.run.tune} trials"
        return f"{self.word}{self.note}, {rate}, seed {self.run.seed}"


def job(
    contender: Contender,
    data: DataSpec,
    backbone: Backbone,
    recipe: Recipe,
    lr: float = 0.0,
    note: str = "",
) -> Job:
    """The run of a contender with nothing left to defaults.

    A default that changes later then makes it another run.
    """
    run = RunSpec(
        method=contender.method.name,
        knobs=vars(contender.config),
        data=data,
        backbone=backbone.name,
        size=backbone.size,
        recipe=contender.method.recipe(replace(recipe, lr=lr or recipe.lr)),
    )
    return Job(contender.word, run, note)


def tuned_job(
    contender: Contender, data: DataSpec, backbone: Backbone, recipe: Recipe, tune: int
) -> Job:
    """The run of a contender after so many trials of what neither its word nor the recipe sets.

    A contender of which nothing is left to search runs as it stands.
    """
    plain = job(contender, data, backbone, recipe)
    run = replace(plain.run, knobs=contender.named, recipe=recipe, tune=tune)
    return replace(plain, run=run) if search.searched(run) else plain


class Sweep:
    """Does jobs and keeps their lines, `workers` of them at a time, or as many as a `cluster` can.

    Without `test`, test images are not even decoded; else there are `most_test` of them at most
    (0: as many as a split takes).
    """

    def __init__(
        self,
        studio: Studio,
        backbone: Backbone,
        results: Results,
        progress: Progress,
        test: bool = True,
        most_test: int = 0,
        workers: int = 1,
        cluster: Cluster | None = None,
    ):
        self.studio = studio
        self.backbone = backbone
        self.results = results
        self.progress = progress
        self.test = test
        self.most_test = most_test
        self.workers = workers
        self.cluster = cluster

    def do(self, jobs: Sequence[Job]) -> list[Line]:
        """The line of every job: from the file where it is there already, else measured now.

        Jobs of one seed share their images, so they should come together. A run that fails is a
        line with an "error" and is tried again next time. Bad data ends it all, as `BadData`.
        """
        try:
            alone = self.workers < 2 and self.cluster is None
            return list(self._lines(jobs) if alone else self._lines_at_once(jobs))
        except KeyboardInterrupt:
            self.progress.line(f"stopped; the same command goes on from {self.results.file}")
            raise

    def _lines(self, jobs: Sequence[Job]) -> Iterator[Line]:
        known = self.results.lines()
        runner = self.runner()
        clock = self._clock(jobs, known.values())
        for place, job in enumerate(jobs, start=1):
            id = runner.identity(job.run, self.progress.report)
            if id not in known or "error" in known[id]:
                task = f"[{place}/{len(jobs)}] {job.title}{clock.left()}"
                with clock.run(job.word):
                    measured = self._measure(runner, job, task, clock)
                known[id] = self._add(job, id, measured)
            yield {**known[id], "method": job.word}

    def _lines_at_once(self, jobs: Sequence[Job]) -> list[Line]:
        known = self.results.lines()
        done = [id for id, line in known.items() if "error" not in line]
        places = _by_run(jobs)
        first = [jobs[same[0]] for same in places]
        clock = self._clock(first, known.values())
        lines: dict[int, Line] = {}
        self._report_ended(lines, jobs, clock)
        with self._pool() as workers:
            for number, outcome in workers.do([job.run for job in first], done):
                clock.ended(first[number].word, outcome.seconds)
                line = self._line(first[number], outcome, known)
                lines |= dict.fromkeys(places[number], line)
                self._report_ended(lines, jobs, clock)
        return [{**lines[place], "method": job.word} for place, job in enumerate(jobs)]

    def _line(self, job: Job, outcome: Outcome, known: Mapping[str, Line]) -> Line:
        """The line of a run that a worker did, or found among the known ones."""
        if outcome.measured is None:
            return known[outcome.id]
        id = outcome.id or self.runner().identity(job.run, self.progress.report)
        return self._add(job, id, outcome.measured)

    def _report_ended(self, ended: Sized, jobs: Sequence[Job], clock: Clock) -> None:
        how = "on Ray" if self.cluster else f"{self.workers} at a time{clock.left(self.workers)}"
        task = f"[{len(ended)}/{len(jobs)}] {how}"
        self.progress.report(task, len(ended) / len(jobs))

    def _pool(self) -> Workers | RayWorkers:
        """Processes of this machine, or a cluster."""
        if self.cluster:
            return RayWorkers(self.cluster, self.workplace(), self.runner())
        return Workers(self.workers, self.workplace())

    def runner(self) -> Runner:
        """What does the jobs in this process."""
        report = self.progress.report
        return self.workplace().runner_on(self.studio.data, self.backbone, report)

    def workplace(self) -> Workplace:
        """What a process of its own needs to do the jobs."""
        return Workplace(
            home=self.studio.home,
            offline=self.studio.offline,
            allow_local_paths=self.studio.allow_local_paths,
            device=self.backbone.device.type,
            backbone=self.backbone.name,
            size=self.backbone.size,
            test=self.test,
            most_test=self.most_test,
        )

    def _clock(self, jobs: Sequence[Job], known: Iterable[Line]) -> Clock:
        return Clock([job.word for job in jobs if not _is_known(job, known)])

    def _measure(self, runner: Runner, job: Job, task: str, clock: Clock) -> Measured:
        def report(fraction: float) -> None:
            clock.tick()
            self.progress.report(task, fraction)

        report(0.0)
        return runner.measure(job.run, report)

    def _add(self, job: Job, id: str, measured: Measured) -> Line:
        """Keeps what the run measured; its line."""
        line = {"id": id, **self.description(job), **measured}
        self.results.add(line)
        self.progress.line(f"{job.title}: {_outcome(line)}")
        return line

    def description(self, job: Job) -> dict[str, Any]:
        """What a line says of a run before it measured anything."""
        run = job.run.public()
        return {
            "method": job.word,
            "seed": run.seed,
            "data": run.data.argument(),
            "shots": run.data.shots,
            "backbone": run.backbone,
            "size": run.size,
            "lr": run.recipe.lr,
            "spec": run.to_json(),
            "device": self.backbone.device.type,
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        }


def _by_run(jobs: Sequence[Job]) -> list[list[int]]:
    """The places of the jobs, those of one and the same run together."""
    places: dict[str, list[int]] = {}
    for place, job in enumerate(jobs):
        places.setdefault(json.dumps(job.run.to_json(), sort_keys=True), []).append(place)
    return list(places.values())


def _outcome(line: Line) -> str:
    if "error" in line:
        return f"failed: {line['error']}"
    accuracies = f"validation {in_short(line['val_accuracy'], line['val_images'])}"
    if line["test_images"]:
        accuracies += f", test {in_short(line['test_accuracy'], line['test_images'])}"
    return f"{accuracies}, {line['seconds']:.1f} s"


def _is_known(job: Job, lines: Iterable[Line]) -> bool:
    """Whether one of the lines looks like the job's: its images have not been read yet."""
    spec = job.run.public().to_json()
    return any(line.get("spec") == spec and "error" not in line for line in lines)
