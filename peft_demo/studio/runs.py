"""Runs on disk: one folder each, with `spec.json`, `events.jsonl`, a lock, and until its end the
state that it would go on from (`state.safetensors`), after it a few held-out pictures
(`held_out.json`).

The living process of a run holds its lock, and the system lets go of it when that process dies,
however it dies. So a run without an end whose lock is free was interrupted, while one that trains
in another process (a command line beside the page) is left alone.

A run has a number, one more than the highest there is. Runs are listed by it and not by their
time: clocks are set back.
"""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import RunCard
from ..contracts.errors import Busy, CannotResume, PeftDemoError, UnknownName
from ..contracts.events import Event, Finished, Interrupted
from ..contracts.history import saved_adapter
from ..contracts.run_state import state_of
from ..contracts.specs import RunSpec
from ..contracts.text import is_visible
from ..storage.atomic import disk_errors, sweep_drafts, write_file
from ..storage.lock import locked
from ..storage.names import free_name, slug
from ..storage.paths import is_file, is_folder, is_there
from .journal import Journal

SPEC = "spec.json"
STATE = "state.safetensors"
ALIVE = "alive.lock"


@dataclass(frozen=True)
class Record:
    """One run as it stands on disk."""

    id: str
    number: int
    """Its place in the order of runs."""
    spec: RunSpec
    started: str
    """ISO 8601, UTC."""
    journal: Journal
    lock: FileLock
    out: str = ""
    """The file its adapter goes to, "" for the zoo."""

    def may_have_made(self, card: AdapterCard) -> bool:
        """Whether an adapter may come from this run: all but what a run fills in or tunes is
        equal."""
        try:
            spec = RunSpec.from_json(card.spec)
        except PeftDemoError:
            return False
        run = self.spec.public()
        same = replace(spec, knobs=run.knobs, recipe=run.recipe, tune=run.tune) == run
        return same and card.created >= self.started

    @property
    def folder(self) -> Path:
        return self.journal.path.parent

    @property
    def state_file(self) -> Path:
        """What the run goes on from; there is none before its first validation."""
        return self.journal.path.with_name(STATE)

    def state(self) -> bytes:
        """What the state file holds, b"" if there is none; `CannotResume` if it cannot be read."""
        try:
            return self.state_file.read_bytes()
        except FileNotFoundError:
            return b""
        except OSError as error:
            reason = error.strerror or error
            raise CannotResume(f"the saved state cannot be read ({reason}).") from None

    def drop_state(self) -> None:
        """Frees the disk of a state that is no longer needed."""
        with suppress(OSError):
            self.state_file.unlink(missing_ok=True)

    @property
    def is_over(self) -> bool:
        """Whether the run has ended and cannot go on."""
        last = self.journal.last()
        return last is not None and last.final and not isinstance(last, Interrupted)

    def claim(self) -> None:
        """Makes an interrupted run this process's own. `CannotResume` or `Busy` says why not."""
        self.mark_interrupted()
        if self.lock.is_locked:
            raise Busy("this run is going on already.")
        with disk_errors(self.journal.path):
            try:
                self.lock.acquire(timeout=0)
            except Timeout:
                raise Busy("this run is going on in another window.") from None
        if not isinstance(self.journal.last(), Interrupted):
            self.lock.release()
            raise CannotResume("this run has ended; only one that was interrupted can go on.")

    def mark_interrupted(self) -> None:
        """Writes `Interrupted` if the run has no end and no living process."""
        lives_here = self.lock.is_locked
        if lives_here or self.journal.ended():
            return
        with suppress(Timeout, OSError), self.lock.acquire(timeout=0):
            if not self.journal.ended():
                self.journal.end(Interrupted())
                sweep_drafts(self.state_file.parent)


@dataclass
class Runs:
    """All runs under one folder."""

    folder: Path
    mark: str = ""
    """Part of every new id, so that runs of several folders never share one."""
    _cards: dict[str, tuple[int, RunCard]] = field(default_factory=dict)
    """Id → (bytes of the journal, the card they give)."""
    _records: dict[str, Record] = field(default_factory=dict)

    def create(self, spec: RunSpec, out: str = "") -> Record:
        """A new folder with the spec in it; the caller holds its lock until the run has ended."""
        now = datetime.now(UTC)
        name = slug(f"{now:%Y%m%d-%H%M%S}-{self.mark}-{spec.method}-{spec.data.argument()}")
        with locked(self.folder):
            folder = self.folder / free_name(name, self._folders())
            number = 1 + max((record.number for record in self.records()), default=0)
            lock = _lock(folder)
            with disk_errors(folder):
                folder.mkdir()
                lock.acquire(timeout=0)
            started = now.isoformat(timespec="seconds")
            record = Record(folder.name, number, spec, started, Journal(folder), lock, out)
            try:
                _write(record, folder)
            except PeftDemoError:
                lock.release()
                shutil.rmtree(folder, ignore_errors=True)
                raise
        self._records[record.id] = record
        return record

    def ids(self) -> list[str]:
        """The names of all runs, in reverse alphabetical order."""
        specs = [path for path in self.folder.glob(f"*/{SPEC}") if is_file(path)]
        names = [path.parent.name for path in specs]
        return sorted(filter(is_visible, names), reverse=True)

    def record(self, id: str) -> Record:
        """The run called `id`; `UnknownName` if there is none."""
        if id not in self._records:
            if id not in self.ids():
                raise UnknownName("run", id, self.ids()[:5])
            self._records[id] = _read(self.folder / id)
        return self._records[id]

    def records(self) -> list[Record]:
        """All runs that can be read, latest first."""
        records = []
        for id in self.ids():
            with suppress(PeftDemoError):
                records.append(self.record(id))
        return sorted(records, key=lambda record: (record.number, record.id), reverse=True)

    def maker(self, id: str, card: AdapterCard) -> Record | None:
        """The run that made the adapter `id`: the one that saved it under this name, else, as it
        may have been renamed, the latest that may have made it."""
        candidates = [record for record in self.records() if record.may_have_made(card)]
        own = [record for record in candidates if self.card(record).adapter == id]
        return next(iter(own or candidates), None)

    def card(self, record: Record) -> RunCard:
        """The run's line in the list. What the journal of a finished run says is remembered."""
        size, card = self._cards.get(record.id, (-1, None))
        if card is None or not card.state.is_over or size != record.journal.size():
            record.mark_interrupted()
            card = _card(record, record.journal.read()[0])
            self._cards[record.id] = record.journal.size(), card
        return card

    def settle(self) -> None:
        """Marks runs whose process died, and removes those that died before they had a spec."""
        for record in self.records():
            record.mark_interrupted()
            if is_there(record.state_file) and record.is_over:
                record.drop_state()
        begun = set(self._folders()) - set(self.ids())
        if begun:
            # Whoever creates a run holds this lock until its spec is there.
            with suppress(PeftDemoError), locked(self.folder):
                for name in begun - set(self.ids()):
                    _remove_begun(self.folder / name)

    def _folders(self) -> list[str]:
        return [path.name for path in self.folder.glob("[!.]*") if is_folder(path)]


def _remove_begun(folder: Path) -> None:
    """Removes a run that has no spec yet; a folder with anything else in it is somebody else's."""
    with suppress(OSError):
        sweep_drafts(folder)
        (folder / ALIVE).unlink(missing_ok=True)
        folder.rmdir()


def _lock(folder: Path) -> FileLock:
    return FileLock(folder / ALIVE, thread_local=False)


def _write(record: Record, folder: Path) -> None:
    values = {
        "number": record.number,
        "started": record.started,
        "run": record.spec.to_json(),
        "out": record.out,
    }
    write_file(folder / SPEC, json.dumps(values, indent=1).encode())


def _read(folder: Path) -> Record:
    try:
        values = json.loads((folder / SPEC).read_text("utf-8"))
        number = values.get("number", 0)
        out = values.get("out", "")
        started = values["started"]
        spec = RunSpec.from_json(values["run"])
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UnknownName("readable run", folder.name, ()) from None
    if type(number) is not int or not isinstance(started, str) or not isinstance(out, str):
        raise UnknownName("readable run", folder.name, ())
    return Record(folder.name, number, spec, started, Journal(folder), _lock(folder), out)


def _card(record: Record, events: Sequence[Event]) -> RunCard:
    last = events[-1] if events else None
    finished = last if isinstance(last, Finished) else None
    return RunCard(
        id=record.id,
        state=state_of(events),
        spec=record.spec,
        started=record.started,
        adapter=saved_adapter(events),
        val_accuracy=finished.val_accuracy if finished else None,
        test_accuracy=finished.test_accuracy if finished else None,
    )
