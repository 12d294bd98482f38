"""Runs on disk: one folder each, `<id>/spec.json`, `<id>/events.jsonl`, and a lock that its living process holds.

The system lets go of the lock when a process dies, however it dies. So a run without an end whose lock is free was
interrupted, while one that trains in another process (a command line beside the page) is left alone.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ..contracts.cards import RunCard
from ..contracts.errors import PeftDemoError, UnknownName
from ..contracts.events import Event, Finished, Interrupted, saved_adapter
from ..contracts.run_state import state_of
from ..contracts.specs import RunSpec
from ..storage.atomic import disk_errors, write_file
from ..storage.names import free_name, slug
from .journal import Journal


@dataclass(frozen=True)
class Record:
    """One run as it stands on disk."""

    id: str
    spec: RunSpec
    started: str
    journal: Journal
    lock: FileLock

    def mark_interrupted(self) -> None:
        """Writes `Interrupted` if the run has no end and no living process."""
        if (
            self.lock.is_locked or self.journal.ended()
        ):  # locked by this object: the run lives in this process
            return
        try:
            with self.lock.acquire(timeout=0):
                if not self.journal.ended():
                    self.journal.end(Interrupted())
        except (Timeout, OSError):
            return


@dataclass
class Runs:
    """All runs under one folder."""

    folder: Path
    mark: str = ""
    """Part of every new id, so that runs of several folders never share one."""
    _cards: dict[str, tuple[int, RunCard]] = field(default_factory=dict)
    _open: dict[str, Record] = field(default_factory=dict)

    def create(self, spec: RunSpec) -> Record:
        """A new folder with the spec in it; the caller holds its lock until the run has ended."""
        now = datetime.now(UTC)
        name = slug(f"{now:%Y%m%d-%H%M%S}-{self.mark}-{spec.method}-{spec.data.argument()}")
        folder = self.folder / free_name(name, self.ids())
        with disk_errors(folder):
            folder.mkdir(parents=True)
            lock = _lock(folder)
            lock.acquire(timeout=0)
        started = now.isoformat(timespec="seconds")
        write_file(
            folder / "spec.json",
            json.dumps({"started": started, "run": spec.to_json()}, indent=1).encode(),
        )
        return self._open.setdefault(
            folder.name, Record(folder.name, spec, started, Journal(folder), lock)
        )

    def ids(self) -> list[str]:
        """The names of all runs, latest first."""
        return sorted((p.parent.name for p in self.folder.glob("*/spec.json")), reverse=True)

    def record(self, id: str) -> Record:
        """The run called `id`; `UnknownName` if there is none."""
        if id not in self._open:
            if id not in self.ids():
                raise UnknownName("run", id, self.ids()[:5])
            self._open[id] = _read(self.folder / id)
        return self._open[id]

    def records(self) -> list[Record]:
        """All runs that can be read, latest first."""
        found = []
        for id in self.ids():
            try:
                found.append(self.record(id))
            except PeftDemoError:
                continue
        return found

    def card(self, record: Record) -> RunCard:
        """The run's line in the list. What the journal of a finished run says is remembered."""
        size, card = self._cards.get(record.id, (-1, None))
        if card is None or not card.state.is_over or size != record.journal.size():
            record.mark_interrupted()
            card = _card(record, record.journal.read()[0])
            self._cards[record.id] = record.journal.size(), card
        return card


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / "alive.lock", thread_local=False)


def _read(folder: Path) -> Record:
    try:
        plain = json.loads((folder / "spec.json").read_text("utf-8"))
        return Record(
            folder.name,
            RunSpec.from_json(plain["run"]),
            plain["started"],
            Journal(folder),
            _lock(folder),
        )
    except (OSError, ValueError, KeyError, TypeError):
        raise UnknownName("readable run", folder.name, ()) from None


def _card(record: Record, events: Sequence[Event]) -> RunCard:
    last = events[-1] if events else None
    scores = (
        {"val_accuracy": last.val_accuracy, "test_accuracy": last.test_accuracy}
        if isinstance(last, Finished)
        else {}
    )
    adapter = saved_adapter(events)
    return RunCard(record.id, state_of(events), record.spec, record.started, adapter, **scores)
