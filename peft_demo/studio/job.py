"""One run while it lives in this process: what it tells is kept, and its end settled."""

from collections.abc import Callable
from threading import Event as Flag
from time import monotonic

from ..contracts.cards import RunCard, Status
from ..contracts.errors import CannotWrite
from ..contracts.events import (
    Checkpointed,
    Event,
    Failed,
    Improved,
    Interrupted,
    Noticed,
    Progressed,
    Queued,
    Saved,
    Started,
    Stepped,
    Surveyed,
)
from ..contracts.held_out import HeldOut
from ..contracts.run_state import ENDINGS, RunState
from ..storage.atomic import write_file
from . import held_out
from .record import Record

Keep = Callable[[bytes, str], str]
"""(adapter file, its id if it has one already) → its id."""

PROGRESS_S = 0.2
"""Seconds between two reports of the same progress."""


class StoppedEarly(Exception):
    """A person pressed Stop before there was anything to keep.

    Libraries that it passes through may turn it into another error.
    """


class Job:
    """One run while it lives in this process.

    `resumed` is whether it was interrupted before, and `adapter` what it has saved so far.
    """

    def __init__(
        self, record: Record, owner: str, keep: Keep, resumed: bool = False, adapter: str = ""
    ):
        self.record = record
        self.owner = owner
        self.resumed = resumed
        self.stop = Flag()
        self.stopped_early = False
        self.state = RunState.QUEUED
        self._keep = keep
        self._adapter = adapter
        self._message = ""
        self._steps = 0
        self._last_step: Stepped | None = None
        self._reported = ""
        self._reported_at = 0.0

    def wait(self) -> None:
        """Notes that the run waits for others; `CannotWrite` leaves it to itself."""
        try:
            self.record.journal.append(Queued())
        except CannotWrite:
            self.record.lock.release()
            raise

    def take(self, event: Event) -> None:
        """Keeps the event: in the journal, and what the status line needs of it."""
        if isinstance(event, Checkpointed):
            self._keep_state(event)
            return
        if isinstance(event, HeldOut):
            self._keep_pictures(event)
            return
        if isinstance(event, Improved):
            self._adapter = self._keep(event.adapter, self._adapter)
            event = Saved(event.step, self._adapter, len(event.adapter))
        self.record.journal.append(event)
        self._show(event)

    def _keep_state(self, event: Checkpointed) -> None:
        """A run whose state cannot be written trains on: the state before stays good."""
        try:
            write_file(self.record.state_file, event.state())
        except CannotWrite as error:
            self.take(Noticed("warning", f"the run cannot go on from here later: {error.sentence}"))

    def _keep_pictures(self, event: HeldOut) -> None:
        """A run whose pictures cannot be written ends as it would have."""
        try:
            held_out.write(self.record.folder, event)
        except CannotWrite as error:
            self.take(Noticed("warning", f"no held-out pictures were kept: {error.sentence}"))

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
        """The run is over: whoever reads its final event may start the next one.

        A resumed run that ends before it went on stays interrupted, so that one may try again.
        """
        if self.resumed and self.state in (RunState.QUEUED, RunState.PREPARING):
            event = Interrupted(_reason(event))
        self._message = _reason(event)
        self.state = ENDINGS[type(event)]
        self.record.journal.end(event)
        if not isinstance(event, Interrupted):
            self.record.drop_state()
        self.record.lock.release()

    def card(self) -> RunCard:
        """The line in the list while the run goes on."""
        record = self.record
        state = self._shown_state()
        title = record.title()
        return RunCard(record.id, state, record.spec, record.started, self._adapter, title=title)

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


def _reason(event: Event) -> str:
    """Why a run ended, "" if that was no trouble."""
    match event:
        case Failed(sentence, hint):
            return f"{sentence} {hint}".strip()
        case Interrupted(reason):
            return reason
    return ""
