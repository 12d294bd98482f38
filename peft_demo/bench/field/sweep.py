"""Runs on a benchmark, each kept as a line: as `bench.sweep`, with official lists, and tests that
are read from the disk batch by batch.
"""

import os
import platform
from collections.abc import Callable, Mapping
from importlib.metadata import version
from pathlib import Path
from time import monotonic
from typing import Any

import torch

from ...contracts.data_spec import DataSpec
from ...contracts.specs import RunSpec
from ...data.few_shot_tensors import FewShotTensors
from ...storage import slug, write_file
from ...studio import Studio
from ...version import __version__
from ...vit import Backbone
from ..results import Results
from ..sweep import Job, Progress, Sweep, _measured, identity
from .images import FieldImages
from .stream import right_answers

Read = Callable[[DataSpec], FieldImages]
"""The images that a spec names."""


class FieldSweep(Sweep):
    """Does jobs whose images `read` reads; a run with images to test is tested when it has ended.

    `decoders` processes decode them. The adapters of tested runs are kept in the folder `adapters`,
    where there is one. `says` is what every line says of the benchmark and the protocol.
    """

    def __init__(
        self,
        studio: Studio,
        backbone: Backbone,
        results: Results,
        progress: Progress,
        read: Read,
        decoders: int = 0,
        adapters: Path | None = None,
        says: Mapping[str, Any] | None = None,
    ):
        super().__init__(studio, backbone, results, progress)
        self.read = read
        self.decoders = decoders
        self.adapters = adapters
        self.says = says or {}

    def read_images(self, data: DataSpec) -> FieldImages:
        """The images; one task is in memory at a time."""
        return self.read(data)

    def figures(
        self, run: RunSpec, images: FewShotTensors, report: Callable[[float], None]
    ) -> dict[str, Any]:
        """What the run measured, and where there are images to test, its test."""
        content = b""

        def keep(adapter: bytes) -> None:
            nonlocal content
            content = adapter

        figures = _measured(run, self.backbone, images, report, keep)
        if not isinstance(images, FieldImages) or not images.tested:
            return figures
        figures |= self._tested(content, images)
        if self.adapters:
            id = identity(run, self.backbone, images)
            name = f"{slug(f'{run.method} {Path(run.data.name).name} s{run.seed}')}-{id}"
            figures["file"] = f"{name}.safetensors"
            write_file(self.adapters / figures["file"], content)
        return figures

    def _tested(self, content: bytes, images: FieldImages) -> dict[str, Any]:
        start = monotonic()
        right = right_answers(
            content,
            self.backbone,
            images.tested,
            images.side,
            self.decoders,
            self.progress.report,
            images.window,
        )
        return {
            "test_accuracy": right.count("1") / len(right),
            "test_images": len(right),
            "test_seconds": round(monotonic() - start, 2),
            "right": right,
        }

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
