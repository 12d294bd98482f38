"""Runs on disk: one folder each, with `spec.json`, `events.jsonl`, a lock, and until its end the
state that it would go on from (`state.safetensors`), after it a few held-out pictures
(`held_out.json`). A person may have given it a title (`title.txt`).

The living process of a run holds its lock, and the system lets go of it when that process dies,
however it dies. So a run without an end whose lock is free was interrupted, while one that trains
in another process (a command line beside the page) is left alone.

A run has a number, one more than the highest there is. Runs are listed by it and not by their
time: clocks are set back.
"""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import RunCard
from ..contracts.errors import PeftDemoError, UnknownName
from ..contracts.events import Evaluated, Event, Finished
from ..contracts.history import saved_adapter
from ..contracts.run_state import state_of
from ..contracts.specs import RunSpec
from ..contracts.text import is_visible
from ..storage.atomic import disk_errors, move_file, sweep_drafts
from ..storage.lock import locked
from ..storage.names import free_name, slug
from ..storage.paths import is_file, is_folder, is_there
from .journal import Journal
from .record import ALIVE, SPEC, Record, lock_of, read_record, write_spec


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
            lock = lock_of(folder)
            with disk_errors(folder):
                folder.mkdir()
                lock.acquire(timeout=0)
            started = now.isoformat(timespec="seconds")
            record = Record(folder.name, number, spec, started, Journal(folder), lock, out)
            try:
                write_spec(record)
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
        if id in self._records and is_file(self._records[id].folder / SPEC):
            return self._records[id]
        if id not in self.ids():
            raise UnknownName("run", id, self.ids()[:5])
        self._records[id] = read_record(self.folder / id)
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
        return replace(card, title=record.title())

    def delete(self, id: str, trash: Path) -> str:
        """Moves the run's folder into `trash`; its name there. `NotAllowed` while it goes on."""
        record = self.record(id)
        record.check_idle()
        with locked(trash):
            moved = move_file(record.folder, trash)
        self._forget(id)
        return moved.name

    def restore(self, name: str, trash: Path) -> str:
        """Moves a deleted run back; its id. `UnknownName` if it does not lie in `trash`."""
        deleted = [path for path in trash.glob(f"*/{SPEC}") if path.parent.name == name]
        if not deleted:
            raise UnknownName("deleted run", name, ())
        with locked(self.folder):
            moved = move_file(deleted[0].parent, self.folder)
        self._forget(moved.name)
        return moved.name

    def _forget(self, id: str) -> None:
        self._records.pop(id, None)
        self._cards.pop(id, None)

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


def _card(record: Record, events: Sequence[Event]) -> RunCard:
    """The run's line, but for its title."""
    last = events[-1] if events else None
    finished = last if isinstance(last, Finished) else None
    validated = [event.images for event in events if isinstance(event, Evaluated)]
    return RunCard(
        id=record.id,
        state=state_of(events),
        spec=record.spec,
        started=record.started,
        adapter=saved_adapter(events),
        val_accuracy=finished.val_accuracy if finished else None,
        val_images=validated[-1] if validated else 0,
        test_accuracy=finished.test_accuracy if finished else None,
        test_images=finished.test_images if finished else 0,
    )
