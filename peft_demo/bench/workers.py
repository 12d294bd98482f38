"""Runs at the same time: so many processes, each with a backbone of its own and a share of the
threads. Only the process that asked writes results.

A worker ends with the process that asked, however that one ends: it holds one end of a pipe, the
other end of which closes then. A worker that dies in a run (out of memory, killed) costs this one
run; another takes its place.
"""

import multiprocessing
import os
import signal
import sys
from collections import deque
from collections.abc import Collection, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from threading import Thread, current_thread, main_thread
from time import monotonic

import torch

from ..contracts.progress import Report
from ..contracts.specs import RunSpec
from ..storage.home import Home
from ..studio.datasets import Datasets
from ..vit import Backbone
from .runner import Measured, Runner

DIED = "the process of this run ended by itself: perhaps memory ran out. Try fewer workers."


@dataclass(frozen=True)
class Workplace:
    """What a worker needs to do runs, as plain values."""

    home: Home
    offline: bool
    allow_local_paths: bool
    device: str
    backbone: str
    size: int
    test: bool
    most_test: int

    def runner(self) -> Runner:
        """What does runs in a process of its own: opens the studio and loads the backbone."""
        from ..studio import Studio
        from ..vit import load

        studio = Studio(
            self.home,
            offline=self.offline,
            allow_local_paths=self.allow_local_paths,
            device=self.device,
        )
        backbone = load(
            self.backbone,
            self.size,
            home=self.home.root,
            device=self.device,
            offline=self.offline,
        )
        return self.runner_on(studio.data, backbone)

    def runner_on(
        self, data: Datasets | None, backbone: Backbone, report: Report | None = None
    ) -> Runner:
        """What does runs with a backbone that is there; `report` hears what they do beside.

        Without `data` it is given the images (`Runner.take`).
        """
        return Runner(data, backbone, self.test, self.most_test)


@dataclass(frozen=True)
class Outcome:
    """What became of a run."""

    id: str
    """Its identity, "" where its process died."""
    measured: Measured | None
    """None where the run is among those that are done already."""
    seconds: float = 0.0


class Workers:
    """A context with `count` processes for runs."""

    def __init__(self, count: int, workplace: Workplace):
        self._spawn = multiprocessing.get_context("spawn")  # CUDA does not survive a fork
        self._workplace = workplace
        self._threads = threads_each(count)
        self._leash, self._end = self._spawn.Pipe(duplex=False)
        self._pools = [self._pool() for _ in range(count)]

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_: object) -> None:
        self._end.close()  # what still runs ends here
        for pool in self._pools:
            pool.shutdown(cancel_futures=True)
        self._leash.close()

    def do(self, runs: Sequence[RunSpec], done: Collection[str]) -> Iterator[tuple[int, Outcome]]:
        """(place of a run, what became of it), as they end. Those whose identity is in `done` are
        not run again.

        Raises what a worker met beside its run: `BadData`, a backbone that does not load.
        """
        waiting = deque(enumerate(runs))
        idle = list(range(len(self._pools)))
        busy: dict[Future[Outcome], tuple[int, int]] = {}
        while waiting or busy:
            while waiting and idle:
                place, run = waiting.popleft()
                worker = idle.pop()
                busy[self._submit(worker, run, done)] = place, worker
            for future in wait(busy, return_when=FIRST_COMPLETED).done:
                place, worker = busy.pop(future)
                idle.append(worker)
                yield place, self._outcome(future, worker)

    def _pool(self) -> ProcessPoolExecutor:
        """One process, so that it is known which run it had when it died."""
        start = self._leash, self._threads, self._workplace
        return ProcessPoolExecutor(1, self._spawn, _begin, start)

    def _submit(self, worker: int, run: RunSpec, done: Collection[str]) -> "Future[Outcome]":
        with _interrupt_ignored():  # the process starts here, and Ctrl-C is not for it
            return self._pools[worker].submit(_do, run, frozenset(done))

    def _outcome(self, future: "Future[Outcome]", worker: int) -> Outcome:
        try:
            return future.result()
        except BrokenProcessPool:
            self._pools[worker].shutdown()
            self._pools[worker] = self._pool()
            return Outcome("", {"error": DIED})


def threads_each(count: int) -> int:
    """Threads of torch for each of so many processes: its share of those it would take alone."""
    return max(1, torch.get_num_threads() // count)


@contextmanager
def _interrupt_ignored() -> Iterator[None]:
    """Processes that start inside never see Ctrl-C. For the main thread; elsewhere it does
    nothing."""
    if current_thread() is not main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_workplace: Workplace
_runner: Runner | None = None
"""Of this process, if it is a worker."""


def _begin(leash: Connection, threads: int, workplace: Workplace) -> None:
    """The first thing that a worker does."""
    global _workplace
    _workplace = workplace
    sys.stdout = sys.stderr  # standard output is the answer's
    torch.set_num_threads(threads)
    Thread(target=_end_with, args=[leash], daemon=True).start()


def _end_with(leash: Connection) -> None:
    """Ends this process as soon as the other end of the pipe is closed."""
    leash.poll(None)
    os._exit(1)


def _do(run: RunSpec, done: Collection[str]) -> Outcome:
    """A run in a worker."""
    global _runner
    if _runner is None:
        _runner = _workplace.runner()
    begun = monotonic()
    id = _runner.identity(run)
    measured = None if id in done else _runner.measure(run)
    return Outcome(id, measured, monotonic() - begun)
