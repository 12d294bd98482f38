"""The run in progress: a worker thread pulls training's generator and keeps what it tells.

    queued ─▶ preparing ─▶ running ─▶ done
                 │            ├─ stop ─▶ stopping ─▶ stopped   (the best so far is kept)
                 └────────────┴─ error ─▶ failed               (a sentence, memory freed)

One at a time per process. The thread never waits for a page, and it never dies without a final
event.
"""

import atexit
import gc
import traceback
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from threading import Event as Flag
from threading import Lock, Thread
from time import monotonic

import torch

from ..contracts.cards import RunCard, Status
from ..contracts.errors import Busy, NotAllowed, PeftDemoError
from ..contracts.events import (
    Event,
    Failed,
    Improved,
    Noticed,
    Progressed,
    Saved,
    Started,
    Stepped,
    Stopped,
    Surveyed,
)
from ..contracts.progress import Report
from ..contracts.run_state import ENDINGS, RunState
from ..contracts.specs import RunSpec
from ..storage.atomic import write_file
from .runs import Record, Runs

Source = Callable[[RunSpec, Report, Callable[[], bool]], Generator[Event, None, None]]
"""(run, report, should it stop?) → the events of the run."""
Keep = Callable[[bytes, str], str]
"""(adapter file, its id if it has one already) → its id."""

PROGRESS_S = 0.2
"""Seconds between two reports of the same progress."""

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


class StoppedEarly(Exception):
    """A person pressed Stop before there was anything to keep.

    Libraries that it passes through may turn it into another error.
    """


class Job:
    """One run while it lives in this process."""

    def __init__(self, record: Record, owner: str, keep: Keep):
        self.record = record
        self.owner = owner
        self.stop = Flag()
        self.stopped_early = False
        self.state = RunState.QUEUED
        self._keep = keep
        self._adapter = ""
        self._message = ""
        self._steps = 0
        self._last_step: Stepped | None = None
        self._reported = ""
        self._reported_at = 0.0

    def take(self, event: Event) -> None:
        """Keeps the event: in the journal, and what the status line needs of it."""
        if isinstance(event, Improved):
            self._adapter = self._keep(event.adapter, self._adapter)
            event = Saved(event.step, self._adapter, len(event.adapter))
        self.record.journal.append(event)
        self._show(event)

    def report(self, what: str, fraction: float = -1.0) -> None:
        """Progress before training moves on, five times a second at most."""
        if self.stop.is_set():
            self.stopped_early = True
            raise StoppedEarly
        waited = monotonic() - self._reported_at
        if what != self._reported or waited > PROGRESS_S or fraction == 1:
            self._reported = what
            self._reported_at = monotonic()
            self.take(Progressed(what, fraction))

    def end(self, event: Event) -> None:
        """The run is over: whoever reads its final event may start the next one."""
        self._message = f"{event.sentence} {event.hint}" if isinstance(event, Failed) else ""
        self.state = ENDINGS[type(event)]
        self.record.journal.end(event)
        self.record.lock.release()

    def card(self) -> RunCard:
        """The line in the list while the run goes on."""
        record = self.record
        return RunCard(record.id, self._shown_state(), record.spec, record.started, self._adapter)

    def status(self) -> Status:
        """The header's line, but for the device."""
        last = self._last_step
        return Status(
            self._shown_state(),
            self.record.id,
            step=last.step if last else 0,
            steps=self._steps,
            eta_s=last.eta_s if last else 0.0,
            memory_mb=last.memory_mb if last else 0.0,
            message=self._message.strip(),
        )

    def _shown_state(self) -> RunState:
        stopping = self.stop.is_set() and not self.state.is_over
        return RunState.STOPPING if stopping else self.state

    def _show(self, event: Event) -> None:
        match event:
            case Started():
                self.state = RunState.RUNNING
                self._steps = event.steps
                self._message = ""
            case Stepped():
                self._last_step = event
            case Progressed():
                self._message = event.what
            case Surveyed():
                self._message = f"sensitivity survey, batch {event.batch} of {event.batches}"
            case Noticed():
                self._message = event.text


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

    def start(self, run: RunSpec, owner: str = "", keep: Keep | None = None) -> str:
        """Starts the run and gives its id; `Busy` if one is going on."""
        with self._lock:
            if self.running:
                raise Busy("another run is training.", "Wait until it ends, or stop it first.")
            job = Job(self.runs.create(run), owner, keep or self._keep)
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
        events = self._source(job.record.spec, job.report, job.stop.is_set)
        ending = _pull(job, events)
        before = allocated_mb()
        events.close()
        del events
        _release(job, before)
        job.end(ending)


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
