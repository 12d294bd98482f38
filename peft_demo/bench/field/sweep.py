"""Runs on a benchmark, each kept as a line: as `bench.sweep`, with official lists, and tests that
are read from the disk batch by batch.
"""

import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from ...contracts.data_spec import DataSpec
from ...contracts.progress import Report
from ...contracts.specs import RunSpec
from ...data.few_shot_tensors import FewShotTensors
from ...storage import slug, write_file
from ...studio import Studio
from ...studio.comparison.results import Results
from ...studio.datasets import Datasets
from ...version import __version__
from ...vit import Backbone
from ..runner import Measured, Runner, identity, measured
from ..sweep import Job, Progress, Sweep
from ..workers import Workplace
from . import fewshot
from .images import FieldImages, Reader
from .stream import right_answers
from .task import find_benchmark

FEWSHOT = "fewshot"
BEST_STATE = "best_state_test_accuracy"
"""What a line says of the best state by test images. It is in no table."""
Read = Callable[[DataSpec], FieldImages]
"""The images that a spec names."""


class FieldRunner(Runner):
    """Does runs on a benchmark; one with images to test is tested when it has ended.

    `decoders` processes decode them. The adapters of tested runs are kept in the folder `adapters`,
    where there is one. With `every_state`, all states that were kept on the way are tested too, and
    the line says how good the best of them is.
    """

    def __init__(
        self,
        data: Datasets | None,
        backbone: Backbone,
        benchmark: str,
        report: Report | None = None,
        decoders: int = 0,
        adapters: Path | None = None,
        every_state: bool = False,
    ):
        super().__init__(data, backbone)
        self.benchmark = benchmark
        self.report = report
        self.decoders = decoders
        self.adapters = adapters
        self.every_state = every_state
        self._read: Read | None = None

    def read_images(self, datasets: Datasets, data: DataSpec, report: Report | None) -> FieldImages:
        """The images; one task is in memory at a time."""
        if self._read is None:
            self._read = reader(self.benchmark, datasets, self.backbone.size, self.report)
        return self._read(data)

    def figures(
        self, run: RunSpec, images: FewShotTensors, report: Callable[[float], None]
    ) -> Measured:
        """What the run measured, and where there are images to test, its test."""
        states: list[bytes] = []

        def keep(adapter: bytes) -> None:
            if not self.every_state:
                states.clear()
            states.append(adapter)

        figures = measured(run, self.backbone, images, report, keep)
        if not isinstance(images, FieldImages) or not images.tested:
            return figures
        content = states[-1]
        figures |= self._tested(content, images)
        if self.every_state:
            tests = [self._tested(state, images)["test_accuracy"] for state in states[:-1]]
            figures[BEST_STATE] = max([figures["test_accuracy"], *tests])
        if self.adapters:
            id = identity(run, self.backbone, images)
            name = f"{slug(f'{run.method} {Path(run.data.name).name} s{run.seed}')}-{id}"
            figures["file"] = f"{name}.safetensors"
            write_file(self.adapters / figures["file"], content)
        return figures

    def _tested(self, content: bytes, images: FieldImages) -> Measured:
        start = monotonic()
        right = right_answers(
            content,
            self.backbone,
            images.tested,
            images.side,
            self.decoders,
            self.report,
            images.window,
        )
        return {
            "test_accuracy": right.count("1") / len(right),
            "test_images": len(right),
            "test_seconds": round(monotonic() - start, 2),
            "right": right,
        }


@dataclass(frozen=True)
class FieldWorkplace(Workplace):
    """What a process needs to do runs on a benchmark."""

    benchmark: str = "vtab"
    decoders: int = 0
    adapters: Path | None = None
    every_state: bool = False

    def runner_on(
        self, data: Datasets | None, backbone: Backbone, report: Report | None = None
    ) -> FieldRunner:
        how = self.decoders, self.adapters, self.every_state
        return FieldRunner(data, backbone, self.benchmark, report, *how)


def reader(name: str, data: Datasets, size: int, report: Report | None) -> Read:
    """What reads the images of a benchmark's specs at this size."""
    if name == FEWSHOT:
        return partial(fewshot.read_images, data.open, size=size, report=report)
    return Reader(find_benchmark(name), size, report)


class FieldSweep(Sweep):
    """Does jobs on a benchmark, as `FieldRunner` does runs. `says` is what every line says of the
    benchmark and the protocol."""

    def __init__(
        self,
        studio: Studio,
        backbone: Backbone,
        results: Results,
        progress: Progress,
        says: Mapping[str, Any],
        decoders: int = 0,
        adapters: Path | None = None,
        workers: int = 1,
    ):
        super().__init__(studio, backbone, results, progress, workers=workers)
        self.says = says
        self.decoders = decoders
        self.adapters = adapters
        self.every_state = False

    def workplace(self) -> FieldWorkplace:
        return FieldWorkplace(
            **vars(super().workplace()),
            benchmark=self.says["benchmark"],
            decoders=self.decoders,
            adapters=self.adapters,
            every_state=self.every_state,
        )

    def description(self, job: Job) -> dict[str, Any]:
        """What a line says of a run: its spec, with which versions, on which machine."""
        packages = {name: version(name) for name in ("torch", "timm", "torchvision")}
        versions = {"peft_demo": __version__, **packages}
        return {
            **super().description(job),
            **self.says,
            "lists": job.run.data.splits,
            "versions": versions,
            "hardware": hardware(self.backbone.device),
        }


def hardware(device: torch.device) -> str:
    """What the runs are done on: "NVIDIA H200", or the processor and its cores."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{platform.machine()}, {os.cpu_count()} cores"
