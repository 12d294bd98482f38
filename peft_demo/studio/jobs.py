"""The run in progress: a worker thread pulls training's generator and keeps what it tells.

    queued ─▶ preparing ─▶ running ─▶ done
                 │            ├─ stop ─▶ stopping ─▶ stopped   (the best so far is kept)
                 └────────────┴─ error ─▶ failed               (a sentence, memory freed)

    interrupted ─▶ preparing ─▶ running ─▶ …      what cannot go on stays interrupted

One at a time per process. The thread never waits for a page, and it never dies without a final
event.
"""

import atexit
import gc
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from contextvars import copy_context
from functools import partial
from threading import Lock, Thread

import torch

from ..contracts.errors import Busy, NotAllowed, PeftDemoError
from ..contracts.events import (
    Event,
    Failed,
    Noticed,
    Progressed,
    Resumed,
    Stopped,
)
from ..contracts.progress import Report
from ..contracts.run_state import RunState
from ..contracts.specs import RunSpec
from ..storage.atomic import write_file
from .job import Job, Keep
from .runs import Record, Runs

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


class Jobs:
    """Starts and stops the one run of this process."""

    def __init__(self, runs: Runs, source: Source, keep: Keep):
        self.runs = runs
        self.job: Job | None = None
        """The run in progress, or the latest one."""
        self._source = source
        self._keep = keep
        self._lock = Lock()
        self._thread: Thread | None = None

    @property
    def running(self) -> Job | None:
        """The run in progress, None if there is none."""
        if self.job is None or self.job.state.is_over:
            return None
        return self.job

    def start(self, run: RunSpec, owner: str = "", keep: Keep | None = None, out: str = "") -> str:
        """Starts the run and gives its id; `Busy` if one is going on.

        `out` is the file that `keep` writes, for a run that is to go on later.
        """
        with self._free_machine():
            job = Job(self.runs.create(run, out), owner, keep or self._keep)
            return self._begin(job)

    def resume(
        self, record: Record, owner: str = "", keep: Keep | None = None, adapter: str = ""
    ) -> str:
        """An interrupted run goes on in place of `adapter`, which it has saved; its id.

        `CannotResume` or `Busy` says why not.
        """
        with self._free_machine():
            record.claim()
            try:
                record.journal.append(Progressed("going on with the run"))
            except PeftDemoError:
                record.lock.release()
                raise
            return self._begin(Job(record, owner, keep or self._keep, True, adapter))

    @contextmanager
    def _free_machine(self) -> Iterator[None]:
        """Inside, nobody else starts a run; `Busy` if one is going on."""
        with self._lock:
            if self.running:
                raise Busy("another run is training.", "Wait until it ends, or stop it first.")
            yield

    def _begin(self, job: Job) -> str:
        if self._thread is None:
            atexit.register(self.close)
        # In the context of whoever asked: a Space charges the visitor's quota for the GPU.
        work = partial(copy_context().run, self._work, job)
        self.job = job
        self._thread = Thread(target=work, name="training", daemon=True)
        self._thread.start()
        return job.record.id

    def stop(self, id: str) -> None:
        """Asks the run to end within one step. A run that has ended already stays as it is."""
        job = self.running
        if job and job.record.id == id:
            job.stop.set()
        elif not self.runs.record(id).journal.ended():
            raise NotAllowed(
                "this run lives in another window.", "Stop it there, for instance with Ctrl-C."
            )

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the run to end; whether it has."""
        if self._thread is not None:
            self._thread.join(timeout)
        return self.running is None

    def close(self, grace: float = 2.0) -> None:
        """Asks the run to stop and gives it `grace` seconds to keep its best."""
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
        job.end(ending)

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
