"""Whole runs of `train` beside a script with timm and peft: from the command to the adapter's file.

Each is a process of its own in an empty home, in turns. Both do the same: the same frozen weights
and pictures, a LoRA of as many numbers, the same recipe, as many validations, the best state kept,
saved and tested. What is chosen from the dataset is written as PNG files before the clock starts,
and both read these. The script (`peft_script.py`) is in fp32, as people run it.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from ..contracts.accuracy import in_short, interval_of
from ..contracts.errors import BadData, PeftDemoError
from ..contracts.progress import Report
from ..contracts.specs import DataSpec, Recipe
from ..data import Dataset, Example, Split, decode, split
from ..data.dataset import digest_of
from ..inference.predict import batch_at
from ..methods import find_method
from ..storage.home import Home
from ..training.schedule import EVALUATIONS
from ..vit import Backbone, best_device, find, load
from ..vit.source import Source
from .processes import PROGRAM, Ended, run

METHOD = "lora"
OURS = f"train --method {METHOD}"
THEIRS = "timm and peft"
SCRIPT = (sys.executable, "-P", str(Path(__file__).with_name("peft_script.py")))
"""Without -P the script would find this folder's files in place of modules that it imports."""
INSTALL = 'Install it: pip install "peft>=0.18".'
PARTS = ("learning_s", "validation_s", "end_s")
"""Parts of a run that it measures itself. "start_s" is the rest: imports, pictures, backbone, and
what it takes to leave."""
TIMES = ("seconds", "start_s", *PARTS)

Row = dict[str, Any]
"""A run, as JSON: "what" it is, its `TIMES`, "precision", "test_accuracy" and "test_images"."""

HEAD = ("RUN", "SECONDS", "START", "LEARNING", "VALIDATION", "END", "IN", "TEST")


@dataclass(frozen=True)
class Task:
    """What both runs are to do. `folder` is there as long as they run."""

    folder: Path
    data: DataSpec
    recipe: Recipe
    source: Source
    backbone: Backbone

    @property
    def images(self) -> Path:
        """Pictures that both read: part / class / picture."""
        return self.folder / "images"

    def words(self) -> tuple[str, ...]:
        """The command line of ours."""
        named = () if self.source.bundled else ("--backbone", self.source.name)
        return (
            *("train", "--method", METHOD, "--data", str(self.images)),
            *("--shots", str(self.data.shots), "--seed", str(self.data.seed)),
            *("--epochs", str(self.recipe.epochs), "--precision", self.recipe.precision),
            *("--keep", "best"),
            *named,
            "--json",
        )

    def settings(self, out: Path) -> dict[str, Any]:
        """Those of the script, which saves its adapter in the folder `out`."""
        method = find_method(METHOD)
        knobs = method.config({})
        recipe = method.recipe(self.recipe)
        same = ("epochs", "batch", "lr", "head_lr", "weight_decay", "warmup", "clip", "smoothing")
        return {
            "images": str(self.images),
            "out": str(out),
            "weights": str(self.source.local_file),
            "arch": self.source.arch,
            "model": dict(self.source.kwargs),
            "size": self.backbone.size,
            "mean": self.backbone.mean,
            "std": self.backbone.std,
            "device": best_device(),
            "seed": self.data.seed,
            **{name: getattr(recipe, name) for name in same},
            "test_batch": batch_at(self.backbone.size),
            "validations": EVALUATIONS,
            "rank": knobs.rank,
            "alpha": knobs.rank * knobs.scale,
        }


def measure(
    dataset: Dataset,
    data: DataSpec,
    backbone: str,
    home: Home,
    recipe: Recipe,
    turns: int,
    report: Report,
) -> dict[str, Any]:
    """{"runs": a `Row` for ours and one for the script, "ratio": how many times as long ours takes,
    "ratios": of each turn}: medians over the turns, after one of a single epoch that is not
    counted. `PeftDemoError` where peft is not installed or a run fails.
    """
    if find_spec("peft") is None:
        raise PeftDemoError("peft is not installed, and this stands beside it.", INSTALL)
    source = find(backbone, home.root)
    source.local_file  # noqa: B018  refuses a download before anything long is done
    loaded = load(backbone, home=home.root, device="cpu")
    chosen = split(dataset, data.shots, data.seed, report)
    with TemporaryDirectory() as folder:
        task = Task(Path(folder), data, recipe, source, loaded)
        write_images(chosen, task.images)
        pairs = list(_pairs(task, turns, report))
    ratios = [own["seconds"] / theirs["seconds"] for own, theirs in pairs]
    runs = [_medians(rows) for rows in zip(*pairs, strict=True)]
    return {"runs": runs, "ratio": median(ratios), "ratios": ratios}


def write_images(chosen: Split, folder: Path) -> None:
    """Writes the pictures, as `train` decodes them, to folder / part / class / picture.

    `BadData` if a class has none in one of the parts, by which the script numbers its classes, or
    if two are the same once they are decoded: `train` would leave one out.
    """
    if chosen.problem:
        raise BadData(chosen.problem)
    written: dict[str, str] = {}
    for part, examples in (("train", chosen.train), ("val", chosen.val), ("test", chosen.test)):
        _check_classes(chosen.classes, part, examples)
        for number, example in enumerate(examples):
            image = decode(example.read(), chosen.window)
            same = written.setdefault(digest_of(image), example.name)
            if same != example.name:
                raise BadData(f"{example.name} shows the same as {same}.", "Remove one of them.")
            place = folder / part / f"class-{example.label:04d}"
            place.mkdir(parents=True, exist_ok=True)
            image.save(place / f"{number:05d}.png")


def _check_classes(classes: Sequence[str], part: str, examples: Sequence[Example]) -> None:
    labels = {example.label for example in examples}
    for label, name in enumerate(classes):
        if label not in labels:
            raise BadData(
                f"the class {name!r} has no picture for {part}, and the script needs one.",
                "Take fewer shots, or another dataset.",
            )


def _pairs(task: Task, turns: int, report: Report) -> Iterator[tuple[Row, Row]]:
    """A run of ours and one of the script, turn by turn."""
    short = replace(task, recipe=replace(task.recipe, epochs=1))
    for turn in range(turns + 1):
        each = task if turn else short
        report(OURS, turn / (turns + 1))
        own = _ours(each)
        report(THEIRS, (turn + 0.5) / (turns + 1))
        theirs = _theirs(each)
        if turn:
            yield own, theirs


def _ours(task: Task) -> Row:
    with _empty_home(task) as home:
        return row(OURS, run(PROGRAM, task.words(), home))


def _theirs(task: Task) -> Row:
    with _empty_home(task) as home:
        settings = home / "settings.json"
        settings.write_text(json.dumps(task.settings(home / "adapter")), encoding="utf-8")
        return row(THEIRS, run(SCRIPT, (str(settings),), home))


@contextmanager
def _empty_home(task: Task) -> Iterator[Path]:
    """A folder for one run, in whose home there is nothing but a registered backbone."""
    with TemporaryDirectory(dir=task.folder) as folder:
        if not task.source.bundled:
            weights = task.source.local_file
            backbones = Path(folder) / "home" / weights.parent.name
            backbones.mkdir(parents=True)
            for file in (weights, weights.with_suffix(".json")):
                shutil.copy(file, backbones)
        yield Path(folder)


def row(what: str, ended: Ended) -> Row:
    """A run by what it printed: its last line is JSON."""
    answer = json.loads(ended.out.splitlines()[-1])
    parts = {name: answer[name] for name in PARTS}
    return {
        "what": what,
        "seconds": ended.seconds,
        "start_s": ended.seconds - sum(parts.values()),
        **parts,
        "precision": answer["precision"],
        "test_accuracy": answer["test_accuracy"],
        "test_images": answer["test_images"],
    }


def _medians(rows: Sequence[Row]) -> Row:
    """The runs of one program as one: they differ in their times alone, whose medians it has."""
    return {**rows[-1], **{name: median(each[name] for each in rows) for name in TIMES}}


def printed(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows as cells under `HEAD`."""
    return [
        (
            each["what"],
            *(f"{each[name]:.1f}" for name in TIMES),
            each["precision"],
            in_short(each["test_accuracy"], each["test_images"]),
        )
        for each in rows
    ]


def summary(answer: dict[str, Any]) -> str:
    """What `measure` answers, in a sentence or two."""
    ratios = answer["ratios"]
    spread = f"{min(ratios):.2f} to {max(ratios):.2f} over {len(ratios)} turns"
    times = f"The command takes {answer['ratio']:.2f} times as long as the script ({spread})."
    return f"{times} {_compared(*answer['runs'])}"


def _compared(own: Row, theirs: Row) -> str:
    """Whether the test images tell the two accuracies apart."""
    low, high = interval_of(own["test_accuracy"], own["test_images"])
    least, most = interval_of(theirs["test_accuracy"], theirs["test_images"])
    if low <= most and least <= high:
        return "Their ranges of test accuracy overlap: these images tell no difference."
    return "Their ranges of test accuracy do not overlap: the two learn differently."
