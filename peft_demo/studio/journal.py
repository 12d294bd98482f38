"""What happened in a run, on disk: events.jsonl, one JSON line per event.

Lines are only ever added, so pages and other processes read along. A cursor is a byte offset:
everything before it has been seen. A line without its end (a crash, a full disk) is not read until
it is whole, and never stops the rest.
"""

import json
import os
from collections.abc import Sequence
from math import ceil
from pathlib import Path
from typing import BinaryIO

from ..contracts.errors import PeftDemoError
from ..contracts.events import Event, Stepped, from_json
from ..storage.atomic import disk_errors
from ..storage.paths import is_file

POINTS = 500
"""Steps that one read gives at most, evenly chosen; a curve needs no more."""

TAIL = 65_536
"""Bytes; longer than any final event."""


class Journal:
    """The events of one run. One process appends, any number read."""

    def __init__(self, folder: Path):
        self.path = folder / "events.jsonl"
        self._lost: Event | None = None
        """The final event, if the disk did not take it."""

    def append(self, event: Event) -> None:
        """Adds one line.

        Raises `CannotWrite` if the disk does not take it; what is there stays readable.
        """
        line = json.dumps(event.to_json(), separators=(",", ":")).encode() + b"\n"
        with disk_errors(self.path), open(self.path, "a+b") as file:
            file.write(b"\n" + line if _torn(file) else line)
        self._lost = None

    def end(self, event: Event) -> None:
        """As `append`, but if the disk is full the event is kept in memory: a run always ends."""
        try:
            self.append(event)
        except PeftDemoError:
            self._lost = event

    def read(self, cursor: int = 0) -> tuple[list[Event], int]:
        """The events from `cursor` on, and the next cursor."""
        start = max(cursor, 0)
        content = self._bytes(start)
        whole = content[: content.rfind(b"\n") + 1]
        events = [event for line in whole.splitlines() if (event := _event(line))]
        following = start + len(whole)
        if self._lost is not None and cursor <= self.size():
            events.append(self._lost)
            following = self.size() + 1
        return _thin(events), following

    def ended(self) -> bool:
        """Whether the last event is a final one."""
        last = self.last()
        return last is not None and last.final

    def last(self) -> Event | None:
        """The last event, None if there is none; looks at the end of the file only."""
        if self._lost is not None:
            return self._lost
        tail = self._bytes(max(self.size() - TAIL, 0))
        last_line = tail.rstrip(b"\n").rpartition(b"\n")[2]
        return _event(last_line)

    def size(self) -> int:
        """Bytes on disk."""
        return self.path.stat().st_size if is_file(self.path) else 0

    def _bytes(self, start: int) -> bytes:
        if not is_file(self.path):
            return b""
        try:
            with open(self.path, "rb") as file:
                file.seek(start)
                return file.read()
        except OSError:
            return b""


def _torn(file: BinaryIO) -> bool:
    """Whether the file ends within a line."""
    if not file.seek(0, os.SEEK_END):
        return False
    file.seek(-1, os.SEEK_END)
    return file.read() != b"\n"


def _event(line: bytes) -> Event | None:
    """The event of a line, None if it is none of ours."""
    try:
        return from_json(json.loads(line))
    except (ValueError, PeftDemoError, RecursionError):
        return None


def _thin(events: Sequence[Event]) -> list[Event]:
    """All events but steps, of which at most `POINTS` and the last one stay."""
    steps = [place for place, event in enumerate(events) if isinstance(event, Stepped)]
    if len(steps) <= POINTS:
        return list(events)
    stride = ceil(len(steps) / POINTS)
    dropped = set(steps) - set(steps[::stride]) - {steps[-1]}
    return [event for place, event in enumerate(events) if place not in dropped]
