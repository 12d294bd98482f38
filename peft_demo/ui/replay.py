"""The events of runs, read once per process however many pages look on."""

from collections import OrderedDict
from threading import Lock

from ..contracts.events import Event
from ..contracts.service import Service


class Replay:
    """`events(run)` is the journal so far. The `keep` runs looked at last stay in memory."""

    def __init__(self, service: Service, keep: int = 12):
        self._service = service
        self._keep = keep
        self._lock = Lock()
        self._known: OrderedDict[str, tuple[list[Event], int]] = OrderedDict()

    def events(self, run: str) -> list[Event]:
        with self._lock:
            told, cursor = self._known.pop(run, ([], 0))
            new, cursor = self._service.training.follow(run, cursor)
            self._known[run] = ([*told, *new] if new else told, cursor)
            while len(self._known) > self._keep:
                self._known.popitem(last=False)
            return self._known[run][0]
