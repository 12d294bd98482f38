"""One run on disk: its folder, its lock, and what a person calls it."""

import json
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from filelock import FileLock, Timeout

from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import BadValue, Busy, CannotResume, NotAllowed, PeftDemoError, UnknownName
from ..contracts.events import Interrupted, Queued
from ..contracts.specs import RunSpec
from ..contracts.text import visible
from ..storage.atomic import disk_errors, sweep_drafts, write_file
from .journal import Journal

SPEC = "spec.json"
STATE = "state.safetensors"
TITLE = "title.txt"
ALIVE = "alive.lock"
LONGEST_TITLE = 80
"""Characters."""
NOT_BEGUN = "the app was closed before its turn came."
"""Why a run that waited for others was interrupted."""
ENDED = "this run has ended; only one that was interrupted can go on."


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
        if self.is_over:  # whose lock may be held a moment longer
            raise CannotResume(ENDED)
        if self.lock.is_locked:
            raise Busy("this run is going on already.")
        with disk_errors(self.journal.path):
            try:
                self.lock.acquire(timeout=0)
            except Timeout:
                raise Busy("this run is going on in another window.") from None
        if not isinstance(self.journal.last(), Interrupted):
            self.lock.release()
            raise CannotResume(ENDED)

    def mark_interrupted(self) -> None:
        """Writes `Interrupted` if the run has no end and no living process."""
        lives_here = self.lock.is_locked
        if lives_here or self.journal.ended():
            return
        with suppress(Timeout, OSError), self.lock.acquire(timeout=0):
            if not self.journal.ended():
                waited = isinstance(self.journal.last(), Queued)
                self.journal.end(Interrupted(NOT_BEGUN if waited else ""))
                sweep_drafts(self.state_file.parent)

    def check_idle(self) -> None:
        """Raises `NotAllowed` while the run trains or waits, here or in another process."""
        if self.lock.is_locked:
            raise NotAllowed("this run is not over.", "Stop or cancel it first.")
        with disk_errors(self.folder):
            try:
                self.lock.acquire(timeout=0)
            except Timeout:
                raise NotAllowed("this run goes on in another window.", "Stop it there.") from None
        self.lock.release()

    @property
    def title_file(self) -> Path:
        return self.journal.path.with_name(TITLE)

    def title(self) -> str:
        """What a person calls the run, "" if they have not said."""
        try:
            title = self.title_file.read_text("utf-8")
        except (OSError, ValueError):
            return ""
        return visible(title)[:LONGEST_TITLE]

    def rename(self, title: str) -> None:
        """Calls the run something else; "" takes the title away. `BadValue` for a long one."""
        title = " ".join(visible(title).split())
        if len(title) > LONGEST_TITLE:
            raise BadValue(
                f"a title takes at most {LONGEST_TITLE} characters, got {len(title)}.",
                "Shorten it.",
            )
        write_file(self.title_file, title.encode())


def lock_of(folder: Path) -> FileLock:
    """Whoever holds it is the living process of the run in `folder`."""
    return FileLock(folder / ALIVE, thread_local=False)


def write_spec(record: Record) -> None:
    """Writes what the run is; `read_record` finds it again."""
    values = {
        "number": record.number,
        "started": record.started,
        "run": record.spec.to_json(),
        "out": record.out,
    }
    write_file(record.folder / SPEC, json.dumps(values, indent=1).encode())


def read_record(folder: Path) -> Record:
    """The run in `folder`; `UnknownName` if it cannot be read."""
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
    return Record(folder.name, number, spec, started, Journal(folder), lock_of(folder), out)
