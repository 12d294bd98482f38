"""Runs on the machines of a Ray cluster: as `workers.py`, on as many machines as there are.

Ray (Moritz et al., "Ray: A Distributed Framework for Emerging AI Applications", OSDI 2018) places
runs, starts those of a lost machine again, and brings images and backbone to each machine once. The
process that asked reads the images and alone writes results. A run has one thread, so its bits are
those of `compare` with OMP_NUM_THREADS=1. Ray's own messages are pickles: a cluster is trusted.
"""

import socket
from collections.abc import Collection, Iterator, Sequence
from importlib import import_module
from time import monotonic
from typing import Any

import torch

from ..contracts.data_spec import DataSpec
from ..contracts.errors import BadValue
from ..contracts.specs import RunSpec
from ..data.few_shot_tensors import FewShotTensors
from ..vit import Backbone
from .cluster import HERE, Cluster
from .runner import Measured, Runner
from .workers import Outcome, Workplace

MISSING = "Ray is not installed."
INSTALL = 'Install it on every machine: pip install "peft-demo[ray]".'
RETRIES = 3
"""How often a run is started again whose machine was lost."""
ANSWER_S = 5.0
AHEAD = 2
"""Runs in the cluster's hands, for each that it can do at once."""


class RayWorkers:
    """A context with a cluster that does runs. `runner` is that of the process that asks."""

    def __init__(self, cluster: Cluster, workplace: Workplace, runner: Runner):
        try:
            self._ray: Any = import_module("ray")
        except ImportError:
            raise BadValue(MISSING, INSTALL) from None
        if cluster.gpus and runner.backbone.device.type != "cuda":
            raise BadValue(
                "--gpus-per-run is for runs on GPUs, and this machine has none.",
                "Start the command on a machine of the cluster that has one.",
            )
        self._cluster = cluster
        self._workplace = workplace
        self._runner = runner
        self._images: tuple[DataSpec, Any] | None = None

    def __enter__(self) -> "RayWorkers":
        ray = self._ray
        address = None if self._cluster.address == HERE else self._cluster.address
        try:
            _check_answers(address)
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except (OSError, OverflowError, RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0][:200]
            raise BadValue(f"there is no Ray cluster at {address!r:.80}: {reason}") from None
        run = ray.remote(on_machine)
        self._do = run.options(num_cpus=1, num_gpus=self._cluster.gpus, max_retries=RETRIES)
        self._backbone = ray.put(self._runner.backbone)
        return self

    def __exit__(self, *_: object) -> None:
        self._ray.shutdown()  # what still runs ends here

    def do(self, runs: Sequence[RunSpec], done: Collection[str]) -> Iterator[tuple[int, Outcome]]:
        """As `Workers.do`. A run whose machine is lost again and again is one that failed."""
        busy: dict[Any, tuple[int, str]] = {}
        for place, run in enumerate(runs):
            id = self._runner.identity(run)
            if id in done:
                yield place, Outcome(id, None)
                continue
            while len(busy) >= self._most():
                yield self._ended(busy)
            ref = self._do.remote(self._workplace, self._backbone, run, self._images_of(run.data))
            busy[ref] = place, id
        while busy:
            yield self._ended(busy)

    def _most(self) -> int:
        """Runs that the cluster may have in its hands, with the machines that it has now."""
        have = self._ray.cluster_resources()
        at_once = have.get("CPU", 1)
        if self._cluster.gpus:
            at_once = min(at_once, have.get("GPU", 0) / self._cluster.gpus)
        return AHEAD * max(1, int(at_once))

    def _images_of(self, data: DataSpec) -> Any:
        """Where the cluster has the images, which neighbouring runs share."""
        if self._images is None or self._images[0] != data:
            self._images = data, self._ray.put(self._runner.images_of(data))
        return self._images[1]

    def _ended(self, busy: dict[Any, tuple[int, str]]) -> tuple[int, Outcome]:
        """Waits for a run; what became of it."""
        ray = self._ray
        (ref,), _ = ray.wait(list(busy), num_returns=1)
        place, id = busy.pop(ref)
        try:
            measured, seconds = ray.get(ref)
        except ray.exceptions.RayError as error:
            words = " ".join(str(error).split())[:300]
            return place, Outcome(id, {"error": f"its machine was lost: {words}"})
        return place, Outcome(id, measured, seconds)


def _check_answers(address: str | None) -> None:
    """`OSError` if nobody answers at HOST:PORT: Ray itself would try for minutes."""
    host, _, port = (address or "").rpartition(":")
    if host and port.isdecimal():
        socket.create_connection((host.rpartition("/")[2], int(port)), ANSWER_S).close()


def on_machine(
    workplace: Workplace, backbone: Backbone, run: RunSpec, images: FewShotTensors
) -> tuple[Measured, float]:
    """A run on a machine of the cluster: what it measured, and its seconds."""
    torch.set_num_threads(1)
    runner = workplace.runner_on(None, backbone)
    runner.take(run.data, images)
    begun = monotonic()
    return runner.measure(run), monotonic() - begun
