"""One run on one backbone in this process: its identity, and what it measured."""

import gc
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field, replace
from hashlib import sha256
from typing import Any

import torch

from ..contracts.errors import BadData, PeftDemoError, TrainingFailed
from ..contracts.events import Evaluated, Event, Finished, Improved, Started, Stepped, Tried
from ..contracts.held_out import HeldOut
from ..contracts.progress import Report
from ..contracts.specs import DataSpec, RunSpec
from ..data import split
from ..data.few_shot_tensors import FewShotTensors, few_shot_tensors
from ..studio.datasets import Datasets
from ..training import search, train
from ..vit import Backbone
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
Measured = dict[str, Any]
"""What a run measured, or the "error" it ended with."""


def _silent(fraction: float) -> None:
    """A report that nobody reads."""


class Runner:
    """Does runs on a backbone. Neighbours share their images.

    Without `test`, test images are not even decoded; else there are `most_test` of them at most
    (0: as many as a split takes).
    """

    def __init__(
        self, data: Datasets | None, backbone: Backbone, test: bool = True, most_test: int = 0
    ):
        self.data = data
        self.backbone = backbone
        self.test = test
        self.most_test = most_test
        self._images: tuple[DataSpec, FewShotTensors] | None = None

    def identity(self, run: RunSpec, report: Report | None = None) -> str:
        """What names the run for good. Reads its images; raises `BadData`."""
        return identity(run, self.backbone, self.images_of(run.data, report))

    def measure(self, run: RunSpec, report: Callable[[float], None] = _silent) -> Measured:
        """What the run measured, or its "error": a run that breaks does not end those after it.

        Reports the fraction of its steps done.
        """
        images = self.images_of(run.data)
        try:
            return self.figures(run, images, report)
        except PeftDemoError as error:
            return {"error": str(error)}
        except Exception as error:
            return {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        finally:
            _release_memory()

    def take(self, data: DataSpec, images: FewShotTensors) -> None:
        """Gives it the images of a spec, which it then need not read."""
        self._images = data, images

    def images_of(self, data: DataSpec, report: Report | None = None) -> FewShotTensors:
        """The images of a spec. Raises `BadData`."""
        if self._images is None or self._images[0] != data:
            if self.data is None:
                raise BadData("this runner is given its images.")
            self._images = None  # frees the memory of the ones before
            self._images = data, self.read_images(self.data, data, report)
        return self._images[1]

    def figures(
        self, run: RunSpec, images: FewShotTensors, report: Callable[[float], None]
    ) -> Measured:
        """Does a run on these images; what it measured."""
        return measured(run, self.backbone, images, report)

    def read_images(
        self, datasets: Datasets, data: DataSpec, report: Report | None
    ) -> FewShotTensors:
        """The images that a spec names, as a run takes them."""
        dataset = datasets.open(data, report)
        chosen = split(dataset, data.shots, data.seed, report, self.most_test)
        if chosen.problem:
            raise BadData(chosen.problem)
        if not self.test:
            chosen = replace(chosen, test=())
        return few_shot_tensors(chosen, self.backbone.size, report)


def identity(run: RunSpec, backbone: Backbone, images: FewShotTensors) -> str:
    """16 hexadecimal digits of a SHA-256 over all that the figures of a run depend on.

    All but the code and the machine's speed.
    """
    spec = run.public().to_json()
    recipe = spec["recipe"]  # without what older lines did not know, where it is off
    if not recipe["patience"]:
        del recipe["patience"]
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


def measured(
    run: RunSpec,
    backbone: Backbone,
    images: FewShotTensors,
    report: Callable[[float], None],
    keep: Callable[[bytes], None] = lambda content: None,
) -> Measured:
    """Does a run; what it measured. `keep` gets its adapter's file whenever it is a better one."""
    on_cuda = backbone.device.type == "cuda"
    if on_cuda:
        torch.cuda.reset_peak_memory_stats()
    told = _told(train(run.public(), backbone, images), report, keep)
    ending = told.ending
    if not ending.unchanged:
        raise TrainingFailed("the frozen backbone changed in this run.", "Please report this.")
    figures = {name: getattr(ending, name) for name in MEASURED}
    figures["val_images"] = len(images.val[1])
    figures["curve"] = told.curve
    figures["threads"] = torch.get_num_threads()
    if told.right:
        figures["right"] = told.right
    if not on_cuda:
        figures["memory_mb"] = None  # the peak of this process, whichever run it came from
    classes = len(images.classes)
    batch = run.recipe.batch
    recipe = replace(run.recipe, precision=ending.precision)
    steps = Steps.of(run.method, run.knobs, backbone, batch, classes, recipe)
    figures["saved_mb"] = round(steps.saved_mb(), 3)
    if told.trials:
        figures["trials"] = [asdict(trial) for trial in told.trials]
    return figures


@dataclass
class _Told:
    """What a line keeps of the events of a run."""

    ending: Finished
    trials: list[Tried] = field(default_factory=list)
    right: str = ""
    """Which test images it had right (`HeldOut.right`)."""
    curve: list[tuple[int, float, float]] = field(default_factory=list)
    """(step, loss, accuracy) of each validation; of a search, those of all its trials."""


def _told(
    events: Iterator[Event], report: Callable[[float], None], keep: Callable[[bytes], None]
) -> _Told:
    """Drives the run to its end. Reports the fraction of its steps done."""
    steps = 1
    trials = []
    right = ""
    curve = []
    for event in events:
        match event:
            case Started():
                steps = event.steps
            case Stepped():
                report(event.step / steps)
            case Evaluated():
                curve.append((event.step, event.loss, event.accuracy))
            case Improved():
                keep(event.adapter)
            case Tried():
                trials.append(event)
            case HeldOut(part="test"):
                right = event.right
            case Finished():
                return _Told(event, trials, right, curve)
    raise TrainingFailed("the run ended without a result.", "Please report this.")


def _release_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
