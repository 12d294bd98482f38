"""The states a run goes through. Their words stand in JSON answers and lists, so they are fixed.

`studio/jobs.py` draws how a run moves from one to the next. An interrupted run is one whose process
died. An idle machine has not run anything yet.
"""

from collections.abc import Sequence
from enum import StrEnum

from .events import Event, Failed, Finished, Interrupted, Queued, Started, Stopped
from .history import since_interruption


class RunState(StrEnum):
    """Where a run stands, equal to its word: `RunState.DONE == "done"`."""

    IDLE = "idle"
    QUEUED = "queued"
    PREPARING = "preparing"
    RUNNING = "running"
    STOPPING = "stopping"
    DONE = "done"
    STOPPED = "stopped"
    FAILED = "failed"
    INTERRUPTED = "interrupted"

    @property
    def is_over(self) -> bool:
        """Whether the run has ended, in whatever way."""
        return self in ENDINGS.values()

    @property
    def is_busy(self) -> bool:
        """Whether the run holds the machine."""
        return self is not RunState.IDLE and not self.is_over


ENDINGS = {
    Finished: RunState.DONE,
    Stopped: RunState.STOPPED,
    Failed: RunState.FAILED,
    Interrupted: RunState.INTERRUPTED,
}
"""Final event → the state it leaves the run in."""


def state_of(events: Sequence[Event]) -> RunState:
    """The state of a run that has told these events: over, waiting, running, or else preparing."""
    if events and events[-1].final:
        return ENDINGS[type(events[-1])]
    if events and isinstance(events[-1], Queued):
        return RunState.QUEUED
    if any(isinstance(event, Started) for event in since_interruption(events)):
        return RunState.RUNNING
    return RunState.PREPARING
