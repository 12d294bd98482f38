"""Runs one after the other on one backbone and one dataset, each kept as a line as soon as it ends."""

import gc
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import sha256
from math import ceil
from time import monotonic

import torch

from ..contracts.errors import BadData, PeftDemoError, TrainingFailed
from ..contracts.events import Event, Finished, Started, Stepped
from ..contracts.specs import DataSpec, Recipe, RunSpec
from ..contracts.text import percent
from ..data import open_dataset, split
from ..data.few_shot_tensors import FewShotTensors, few_shot_tensors
from ..studio import Studio
from ..training import train
from ..vit import Backbone
from .contenders import Contender
from .results import Results
from .steps import Steps

MEASURED = ("val_accuracy", "test_accuracy", "test_images", "trainable", "head", "file_bytes")
MEASURED += ("seconds", "images_per_second", "memory_mb", "unchanged")
"""What a line keeps of a run's last event."""


@dataclass(frozen=True)
class Job:
    """A run to do; `word` names its entrant, `note` is what else tells it from its neighbours."""

    word: str
    run: RunSpec
    note: str = ""

    @property
    def title(self) -> str:
        return f"{self.word}{self.note}, lr {self.run.recipe.lr:g}, seed {self.run.seed}"


def job(
    entrant: Contender,
    data: DataSpec,
    backbone: Backbone,
    recipe: Recipe,
    lr: float = 0.0,
    note: str = "",
) -> Job:
    """The run of an entrant with nothing left to defaults, so that a default that changes makes it another run."""
    recipe = replace(recipe, lr=lr or recipe.lr or entrant.method.lr)
    run = RunSpec(
        entrant.method.name, vars(entrant.config), data, backbone.name, backbone.size, recipe
    )
    return Job(entrant.word, run, note)


class Sweep:
    """Does jobs and keeps their lines. Without `test`, the test images are not even decoded to tensors.

    `progress` has `report(what, fraction)` and `line(text)`, as the command line's `Progress`.
    """

    def __init__(
        self, studio: Studio, backbone: Backbone, results: Results, progress, test: bool = True
    ):
        self.studio = studio
        self.backbone = backbone
        self.results = results
        self.progress = progress
        self.test = test

    def do(self, jobs: Sequence[Job]) -> list[dict]:
        """The line of every job: from the file where it is there already, else measured now.

        Jobs of one seed share their images, so they should come together. A run that fails is a line with an "error"
        and is tried again next time. Bad data ends it all, as `BadData`.
        """
        try:
            return list(self._lines(jobs))
        except KeyboardInterrupt:
            self.progress.line(f"stopped; the same command goes on from {self.results.file}")
            raise

    def _lines(self, jobs: Sequence[Job]) -> Iterator[dict]:
        known = self.results.lines()
        data = None
        images = None
        clock = _Clock(len(jobs))
        for place, each in enumerate(jobs, start=1):
            if each.run.data != data:
                data, images = each.run.data, self._material(each.run.data)
            id = identity(each.run, self.backbone, images)
            if id in known and "error" not in known[id]:
                yield known[id]
                continue
            what = f"[{place}/{len(jobs)}] {each.title}{clock.left(place)}"
            line = {"id": id} | self._about(each) | self._measure(each.run, images, what)
            self.results.add(line)
            self.progress.line(f"{each.title}: {_told(line)}")
            clock.done += 1
            yield line

    def _material(self, data: DataSpec) -> FewShotTensors:
        report = self.progress.report
        dataset = open_dataset(
            data, self.studio.data.resolve(data), offline=self.studio.offline, report=report
        )
        chosen = split(dataset, data.shots, data.seed, report)
        if chosen.problem:
            raise BadData(chosen.problem)
        return few_shot_tensors(
            chosen if self.test else replace(chosen, test=()), self.backbone.size, report
        )

    def _about(self, job: Job) -> dict:
        run = job.run.public()
        about = {
            "method": job.word,
            "seed": run.seed,
            "data": run.data.argument(),
            "shots": run.data.shots,
        }
        about |= {
            "backbone": run.backbone,
            "size": run.size,
            "lr": run.recipe.lr,
            "spec": run.to_json(),
        }
        return about | {
            "device": self.backbone.device.type,
            "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        }

    def _measure(self, run: RunSpec, images: FewShotTensors, what: str) -> dict:
        """What the run measured, or its "error": one that breaks, in whatever way, does not take the others along."""
        self.progress.report(what, 0.0)
        try:
            return _measured(
                run, self.backbone, images, lambda fraction: self.progress.report(what, fraction)
            )
        except PeftDemoError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        finally:
            _release()


def identity(run: RunSpec, backbone: Backbone, images: FewShotTensors) -> str:
    """SHA-256, shortened, over all that the figures of a run depend on but the code and the machine's speed."""
    depends = run.public().to_json() | {
        "backbone": backbone.fingerprint,
        "images": images.fingerprint,
    }
    depends["device"] = backbone.device.type
    return sha256(json.dumps(depends, sort_keys=True).encode()).hexdigest()[:16]


def _measured(run: RunSpec, backbone: Backbone, images: FewShotTensors, report) -> dict:
    if backbone.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats()
    ending = _last(train(run.public(), backbone, images), report)
    if not ending.unchanged:
        raise TrainingFailed("the frozen backbone changed in this run.", "Please report this.")
    figures = {name: getattr(ending, name) for name in MEASURED}
    if backbone.device.type != "cuda":
        figures["memory_mb"] = None  # the peak of this process, whichever run it came from
    steps = Steps.of(run.method, run.knobs, backbone, run.recipe.batch, len(images.classes))
    return figures | {"saved_mb": round(steps.saved_mb(), 3)}


def _last(events: Iterator[Event], report) -> Finished:
    steps = 1
    for event in events:
        match event:
            case Started():
                steps = event.steps
            case Stepped():
                report(event.step / steps)
    return event


def _release() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def _told(line: dict) -> str:
    if "error" in line:
        return f"failed: {line['error']}"
    test = f", test {percent(line['test_accuracy'])}" if line["test_images"] else ""
    return f"validation {percent(line['val_accuracy'])}{test}, {line['seconds']:.1f} s"


class _Clock:
    """How long the rest will take, from the runs done so far."""

    def __init__(self, runs: int):
        self.runs = runs
        self.start = monotonic()
        self.done = 0

    def left(self, place: int) -> str:
        if not self.done:
            return ""
        minutes = ceil((self.runs - place + 1) * (monotonic() - self.start) / self.done / 60)
        return (
            f", about {minutes} min left" if minutes < 90 else f", about {minutes / 60:.1f} h left"
        )
