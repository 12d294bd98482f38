"""The images of a run on a benchmark: those to learn from in memory, those to test on as files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch

from ...contracts.data_spec import DataSpec, parse_splits
from ...contracts.progress import Report
from ...data import Example
from ...data.few_shot_tensors import FewShotTensors, LabelledImages
from ...data.tensors import centred, stack
from ...training.memory import check_images
from .task import Benchmark, Task


@dataclass(frozen=True)
class FieldImages(FewShotTensors):
    """As a run takes them. `test` is empty: `tested` are read when the run has ended."""

    tested: tuple[Example, ...] = ()
    side: int = 0
    """At which `tested` are squeezed to a square, pixels; its middle is what the model sees."""


class Reader:
    """Reads the images of a benchmark's specs. Those it read last stay in memory: no seed changes
    them."""

    def __init__(self, benchmark: Benchmark, size: int, report: Report | None = None):
        self.benchmark = benchmark
        self.size = size
        self.report = report
        self._lists = ("", "")
        self._images: FieldImages | None = None

    def __call__(self, data: DataSpec) -> FieldImages:
        """As `read_images`."""
        if self._images is None or self._lists != (data.name, data.splits):
            self._images = None
            self._images = read_images(self.benchmark, data, self.size, self.report)
            self._lists = (data.name, data.splits)
        return self._images


def read_images(
    benchmark: Benchmark, data: DataSpec, size: int, report: Report | None = None
) -> FieldImages:
    """The images that `data` names, for a model of `size` px.

    Training images take 3 · side² bytes each (1000 at 224 px: 151 MB; the 23,929 of NABirds at
    256 px: 4.7 GB); a sweep holds those of the task before until these are read. Raises
    `TrainingFailed` where they do not fit into the free memory, `BadData` or `BadImage` for lists
    and pictures that cannot be read.
    """
    folder = Path(data.name)
    task = benchmark.task_of(folder)
    lists = _lists(benchmark, folder, task, data.splits)
    side = round(size * benchmark.margin)
    check_images(len(lists["train"]) + len(lists["val"]), side, 1.0)
    images, labels = stack(lists["val"], side, report)
    return FieldImages(
        classes=tuple(map(str, range(task.classes))),
        train=stack(lists["train"], side, report),
        val=(centred(images, size), labels),
        test=no_images(size),
        fingerprint=_fingerprint(lists),
        seen=tuple(sorted(e.digest[:12] for e in [*lists["train"], *lists["val"]])),
        tested=tuple(lists["test"]),
        side=side,
    )


def unofficial(benchmark: Benchmark, folder: Path) -> str:
    """How the lists of a task differ in length from the published ones; "" if they do not."""
    task = benchmark.task_of(folder)
    lengths = {part: len(benchmark.read(folder, task, part)) for part in task.sizes}
    other = [
        f"{lengths[part]:,} instead of {size:,} in {part}"
        for part, size in task.sizes.items()
        if lengths[part] != size
    ]
    return f"{task.name}: {', '.join(other)}" if other else ""


def no_images(size: int) -> LabelledImages:
    """None of them, as tensors."""
    return torch.empty(0, 3, size, size, dtype=torch.uint8), torch.empty(0, dtype=torch.int64)


def _lists(benchmark: Benchmark, folder: Path, task: Task, splits: str) -> dict[str, list[Example]]:
    lists: dict[str, list[Example]] = {"train": [], "val": [], "test": []}
    for name, part in (parse_splits(splits) or {}).items():
        lists[part] += benchmark.read(folder, task, name)
    return lists


def _fingerprint(lists: dict[str, list[Example]]) -> str:
    """SHA-256 over the lists, and over the files that are learned from.

    Test files, of which there may be 73,728, are known by name and class.
    """
    learned = [_line(part, lists[part], True) for part in ("train", "val")]
    return sha256("\n".join([*learned, _line("test", lists["test"], False)]).encode()).hexdigest()


def _line(part: str, examples: Sequence[Example], read: bool) -> str:
    words: Iterable[str] = (f"{e.name} {e.label} {e.digest if read else ''}" for e in examples)
    return f"{part}: {' '.join(words)}"
