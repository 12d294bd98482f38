"""The events of runs, read once per process however many pages look on."""

from collections import OrderedDict
from threading import Lock

from ...contracts.events import Event
from ...contracts.service import Training


class Journals:
    """Reads the journals of runs; those of the `keep` runs looked at last stay in memory."""

    def __init__(self, training: Training, keep: int = 12):
        self._training = training
        self._keep = keep
        self._lock = Lock()
        self._read: OrderedDict[str, tuple[list[Event], int]] = OrderedDict()

    def events(self, run: str) -> list[Event]:
        """The run's events so far."""
        with self._lock:
            events, cursor = self._read.pop(run, ([], 0))
            new, cursor = self._training.follow(run, cursor)
            if new:
                events = [*events, *new]
            self._read[run] = (events, cursor)
            while len(self._read) > self._keep:
                self._read.popitem(last=False)
            return events
