"""Runs one after the other on one backbone, each kept as a line as soon as it ends."""

import gc
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol

import torch

from ..contracts.accuracy import in_short
from ..contracts.errors import BadData, PeftDemoError, TrainingFailed
from ..contracts.events import Event, Finished, Improved, Started, Stepped, Tried
from ..contracts.held_out import HeldOut
from ..contracts.specs import DataSpec, Recipe, RunSpec
from ..data import split
from ..data.few_shot_tensors import FewShotTensors, few_shot_tensors
from ..studio import Studio
from ..training import search, train
from ..vit import Backbone
from .clock import Clock
from .contenders import Contender
from .results import Line, Results
from .steps import Steps

MEASURED = (
    "val_accuracy",
    "test_accuracy",
    "test_images",
    "trainable",
    "head",
    "file_bytes",
    "seconds",
    "images_per_second",
    "memory_mb",
    "unchanged",
    "precision",
)
"""What a line keeps of a run's last event."""


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
    """Does jobs and keeps their lines.

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
    ):
        self.studio = studio
        self.backbone = backbone
        self.results = results
        self.progress = progress
        self.test = test
        self.most_test = most_test

    def do(self, jobs: Sequence[Job]) -> list[Line]:
        """The line of every job: from the file where it is there already, else measured now.

        Jobs of one seed share their images, so they should come together. A run that fails is a
        line with an "error" and is tried again next time. Bad data ends it all, as `BadData`.
        """
        try:
            return list(self._lines(jobs))
        except KeyboardInterrupt:
            self.progress.line(f"stopped; the same command goes on from {self.results.file}")
            raise

    def _lines(self, jobs: Sequence[Job]) -> Iterator[Line]:
        known = self.results.lines()
        clock = Clock([job.word for job in jobs if not _is_known(job, known.values())])
        for place, (job, images) in enumerate(self._with_images(jobs), start=1):
            id = identity(job.run, self.backbone, images)
            if id in known and "error" not in known[id]:
                yield known[id]
                continue
            task = f"[{place}/{len(jobs)}] {job.title}{clock.left()}"
            with clock.run(job.word):
                measured = self._measure(job.run, images, task, clock)
            line = {"id": id, **self.description(job), **measured}
            self.results.add(line)
            self.progress.line(f"{job.title}: {_outcome(line)}")
            yield line

    def figures(
        self, run: RunSpec, images: FewShotTensors, report: Callable[[float], None]
    ) -> dict[str, Any]:
        """Does a run; what its line keeps of it."""
        return _measured(run, self.backbone, images, report)

    def _with_images(self, jobs: Sequence[Job]) -> Iterator[tuple[Job, FewShotTensors]]:
        """Each job with its images, which neighbours share."""
        images = None
        spec = None
        for job in jobs:
            if images is None or job.run.data != spec:
                spec = job.run.data
                images = self.read_images(spec)
            yield job, images

    def read_images(self, data: DataSpec) -> FewShotTensors:
        """The images that a spec names, as a run takes them."""
        report = self.progress.report
        dataset = self.studio.data.open(data, report)
        chosen = split(dataset, data.shots, data.seed, report, self.most_test)
        if chosen.problem:
            raise BadData(chosen.problem)
        if not self.test:
            chosen = replace(chosen, test=())
        return few_shot_tensors(chosen, self.backbone.size, report)

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

    def _measure(
        self, run: RunSpec, images: FewShotTensors, task: str, clock: Clock
    ) -> dict[str, Any]:
        """What the run measured, or its "error": a run that breaks does not end the sweep."""

        def report(fraction: float) -> None:
            clock.tick()
            self.progress.report(task, fraction)

        report(0.0)
        try:
            return self.figures(run, images, report)
        except PeftDemoError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        finally:
            _release_memory()


def identity(run: RunSpec, backbone: Backbone, images: FewShotTensors) -> str:
    """16 hexadecimal digits of a SHA-256 over all that the figures of a run depend on.

    All but the code and the machine's speed.
    """
    spec = run.public().to_json()
    recipe = spec["recipe"]  # without what older lines did not know, where it is off
    if not recipe["patience"]:
        del recipe["patience"]
    if recipe["precision"] == "auto":
        del recipe["precision"]
    if recipe["memory"] == "normal":
        del recipe["memory"]
    if recipe["head_lr"] == recipe["lr"]:
        del recipe["head_lr"]
    if run.tune:
        spec["trials"] = [trial.public().to_json() for trial in search.trials(run)]
    depends = {
        **spec,
        "backbone": backbone.fingerprint,
        "images": images.fingerprint,
        "device": backbone.device.type,
    }
    return sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def _measured(
    run: RunSpec,
    backbone: Backbone,
    images: FewShotTensors,
    report: Callable[[float], None],
    keep: Callable[[bytes], None] = lambda content: None,
) -> dict[str, Any]:
    """What a run measured; `keep` gets its adapter's file whenever it is a better one."""
    on_cuda = backbone.device.type == "cuda"
    if on_cuda:
        torch.cuda.reset_peak_memory_stats()
    ending, trials, right = _ending(train(run.public(), backbone, images), report, keep)
    if not ending.unchanged:
        raise TrainingFailed("the frozen backbone changed in this run.", "Please report this.")
    figures = {name: getattr(ending, name) for name in MEASURED}
    figures["val_images"] = len(images.val[1])
    if right:
        figures["right"] = right
    if not on_cuda:
        figures["memory_mb"] = None  # the peak of this process, whichever run it came from
    classes = len(images.classes)
    batch = run.recipe.batch
    steps = Steps.of(run.method, run.knobs, backbone, batch, classes, ending.precision)
    figures["saved_mb"] = round(steps.saved_mb(), 3)
    if trials:
        figures["trials"] = [asdict(trial) for trial in trials]
    return figures


def _ending(
    events: Iterator[Event], report: Callable[[float], None], keep: Callable[[bytes], None]
) -> tuple[Finished, list[Tried], str]:
    """The last event of a run, what it has tried, and which test images it had right
    (`HeldOut.right`). Reports the fraction of its steps done."""
    steps = 1
    trials = []
    right = ""
    for event in events:
        match event:
            case Started():
                steps = event.steps
            case Stepped():
                report(event.step / steps)
            case Improved():
                keep(event.adapter)
            case Tried():
                trials.append(event)
            case HeldOut(part="test"):
                right = event.right
            case Finished():
                return event, trials, right
    raise TrainingFailed("the run ended without a result.", "Please report this.")


def _release_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


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
