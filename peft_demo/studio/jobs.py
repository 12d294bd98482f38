"""The run in progress and those that wait for it: a worker thread pulls training's generator and
keeps what it tells.

    queued ─▶ preparing ─▶ running ─▶ done
                 │            ├─ stop ─▶ stopping ─▶ stopped   (what it has is kept)
                 └────────────┴─ error ─▶ failed               (a sentence, memory freed)

    interrupted ─▶ preparing ─▶ running ─▶ …      what cannot go on stays interrupted

One at a time per process. The thread never waits for a page, and it never dies without a final
event. When a run has ended, in whatever way, the next one in line begins.

The line lives in this process alone, while each run in it has its folder and holds its lock. Where
the process ends before a run's turn came, politely or not, that run stands as interrupted: `resume`
begins it, from its start. Nothing begins by itself when the app is opened again.
"""

import atexit
import gc
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import Context, copy_context
from dataclasses import dataclass
from threading import Lock, Thread
from time import monotonic

from ..contracts.errors import Busy, NotAllowed, PeftDemoError
from ..contracts.events import (
    Event,
    Failed,
    Interrupted,
    Noticed,
    Progressed,
    Resumed,
    Stopped,
)
from ..contracts.progress import Report
from ..contracts.run_state import RunState
from ..contracts.specs import RunSpec
from ..storage.atomic import write_file
from .heavy import torch
from .job import Job, Keep
from .record import NOT_BEGUN, Record
from .runs import Runs

Source = Callable[[RunSpec, Report, Callable[[], bool], bytes], Generator[Event, None, None]]
"""(run, report, should it stop?, state to go on from or b"") → the events of the run."""

NOTHING_DONE = Stopped(
    step=0,
    best_step=0,
    val_accuracy=None,
    test_accuracy=None,
    test_images=0,
    seconds=0.0,
    images_per_second=0.0,
    memory_mb=0.0,
    trainable=0,
    head=0,
    file_bytes=0,
    fingerprint="",
    unchanged=True,
)


@dataclass(frozen=True)
class Waiting:
    """A run in line, to be driven in the context of whoever asked for it: a Space charges the
    visitor's quota for the GPU."""

    job: Job
    context: Context


class Jobs:
    """Starts and stops the one run of this process, and keeps the line of those that wait."""

    def __init__(self, runs: Runs, source: Source, keep: Keep, queues: bool = True):
        """With `queues`, a run that is started while one goes on waits; else it is `Busy`."""
        self.runs = runs
        self.queues = queues
        self.job: Job | None = None
        """The run in progress, or the latest one."""
        self._source = source
        self._keep = keep
        self._lock = Lock()
        self._thread: Thread | None = None
        self._line: list[Waiting] = []

    @property
    def running(self) -> Job | None:
        """The run in progress, None if there is none."""
        if self.job is None or self.job.state.is_over:
            return None
        return self.job

    @property
    def waiting(self) -> list[Job]:
        """The runs in line, the next one first."""
        return [entry.job for entry in self._line]

    def living(self, id: str) -> Job | None:
        """The run `id` if it goes on or waits here."""
        jobs = [self.running, *self.waiting]
        return next((job for job in jobs if job and job.record.id == id), None)

    def start(self, run: RunSpec, owner: str = "", keep: Keep | None = None, out: str = "") -> str:
        """Starts the run, or puts it in line, and gives its id.

        `out` is the file that `keep` writes, for a run that is to go on later.
        """
        with self._door():
            job = Job(self.runs.create(run, out), owner, keep or self._keep)
            return self._enter(job)

    def resume(
        self, record: Record, owner: str = "", keep: Keep | None = None, adapter: str = ""
    ) -> str:
        """An interrupted run goes on in place of `adapter`, which it has saved; its id.

        `CannotResume` or `Busy` says why not.
        """
        with self._door():
            record.claim()
            try:
                record.journal.append(Progressed("going on with the run"))
            except PeftDemoError:
                record.lock.release()
                raise
            return self._enter(Job(record, owner, keep or self._keep, True, adapter))

    @contextmanager
    def _door(self) -> Iterator[None]:
        """Inside, nobody else starts a run; `Busy` if one is going on and none may wait."""
        with self._lock:
            if self.running and not self.queues:
                raise Busy("another run is training.", "Wait until it ends, or stop it first.")
            yield

    def _enter(self, job: Job) -> str:
        entry = Waiting(job, copy_context())
        if self.running:
            job.wait()
            self._line.append(entry)
        else:
            self._begin(entry)
        return job.record.id

    def _begin(self, entry: Waiting) -> None:
        if self._thread is None:
            atexit.register(self.close)
        self.job = entry.job
        arguments = self._work, entry.job
        self._thread = Thread(target=entry.context.run, args=arguments, daemon=True)
        self._thread.name = "training"
        self._thread.start()

    def stop(self, id: str) -> None:
        """Asks the run to end within one step; one that waits leaves the line.

        A run that has ended already stays as it is.
        """
        with self._lock:
            place = self.place(id)
            if place:
                self._line.pop(place - 1).job.end(NOTHING_DONE)
                return
        job = self.running
        if job and job.record.id == id:
            job.stop.set()
        elif not self.runs.record(id).journal.ended():
            raise NotAllowed(
                "this run lives in another window.", "Stop it there, for instance with Ctrl-C."
            )

    def move(self, id: str, places: int) -> None:
        """Moves a run in line so many places towards its end; a negative number is towards its
        head. `NotAllowed` if it does not wait.
        """
        with self._lock:
            place = self.place(id)
            if not place:
                raise NotAllowed("this run does not wait any more.", "Only those in line move.")
            entry = self._line.pop(place - 1)
            self._line.insert(max(0, place - 1 + places), entry)

    def place(self, id: str) -> int:
        """The run's place in line, from 1; 0 if it does not wait."""
        ids = [job.record.id for job in self.waiting]
        return 1 + ids.index(id) if id in ids else 0

    def forget(self, id: str) -> None:
        """A run that has ended is not the latest any more."""
        if self.job and self.job.state.is_over and self.job.record.id == id:
            self.job = None

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until nothing goes on, at most `timeout` seconds; whether that is so."""
        ends = monotonic() + timeout if timeout is not None else None
        while (thread := self._latest_thread()) is not None:
            thread.join(None if ends is None else max(0.0, ends - monotonic()))
            if thread is self._latest_thread() or (ends is not None and monotonic() > ends):
                break
        return self.running is None

    def _latest_thread(self) -> Thread | None:
        """That of the latest run, which `_begin` has started before it lets go of the lock."""
        with self._lock:
            return self._thread

    def close(self, grace: float = 2.0) -> None:
        """Asks the run to stop and gives it `grace` seconds to keep its best; those in line are
        interrupted.
        """
        with self._lock:
            for job in self.waiting:
                job.end(Interrupted(NOT_BEGUN))
            self._line.clear()
        job = self.running
        if job:
            job.stop.set()
            self.wait(grace)

    def _work(self, job: Job) -> None:
        job.state = RunState.PREPARING
        events = self._events(job)
        ending = _pull(job, events)
        before = allocated_mb()
        events.close()
        del events
        _release(job, before)
        with self._lock:
            job.end(ending)
            if self._line:
                self._begin(self._line.pop(0))

    def _events(self, job: Job) -> Generator[Event, None, None]:
        state = job.record.state() if job.resumed else b""
        if job.resumed and not state:
            yield Resumed(0)
        yield from self._source(job.record.spec, job.report, job.stop.is_set, state)


def _pull(job: Job, events: Iterator[Event]) -> Event:
    """Takes events until the run ends, in whatever way; gives the final event."""
    try:
        for event in events:
            if event.final:
                return event
            job.take(event)
        return Failed("the run ended without a result.", "Please report this.")
    except Exception as error:
        return NOTHING_DONE if job.stopped_early else _failed(job, error)


def _failed(job: Job, error: Exception) -> Failed:
    match error:
        case PeftDemoError():
            return Failed(error.sentence, error.hint)
        case MemoryError() | torch.OutOfMemoryError():
            return Failed(
                "memory ran out.",
                "Try a smaller batch, a smaller image size or a smaller backbone.",
            )
    return _unexpected(job, error)


def _unexpected(job: Job, error: Exception) -> Failed:
    log = job.record.journal.path.with_name("error.txt")
    with suppress(PeftDemoError):
        write_file(log, "".join(traceback.format_exception(error)).encode())
    hint = f"Please report this, with runs/{job.record.id}/{log.name}."
    words = " ".join(str(error).split())[:200]
    return Failed(f"the run broke: {type(error).__name__}: {words}.", hint)


def allocated_mb() -> float:
    """Memory that tensors hold on a CUDA device, MB; 0 elsewhere."""
    return torch.cuda.memory_allocated() / 1e6 if torch.cuda.is_available() else 0.0


def _release(job: Job, before: float) -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
        text = f"device memory given back: {before:.0f} MB before, {allocated_mb():.0f} MB now"
        with suppress(PeftDemoError):
            job.take(Noticed("info", text))
