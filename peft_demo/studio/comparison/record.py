"""A comparison on disk: a folder with `spec.json`, a line a run in `runs.jsonl`, and after its end
`end.json`, which says why if that came early.

The process that does the runs holds the folder's lock for as long as it lives. A comparison without
an end whose lock is free was stopped, by a person or by the end of the app: it can go on.
"""

import json
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from pathlib import Path

from filelock import FileLock, Timeout

from ...contracts.comparison import ComparisonCard, ComparisonSpec
from ...contracts.errors import PeftDemoError, UnknownName
from ...contracts.run_state import RunState
from ...storage.atomic import disk_errors, write_file
from ...storage.lock import locked
from ...storage.names import free_name, slug
from .results import Line, read_lines

SPEC = "spec.json"
RUNS = "runs.jsonl"
END = "end.json"
ALIVE = "alive.lock"


@dataclass(frozen=True)
class ComparisonRecord:
    """The comparison in a folder."""

    folder: Path
    spec: ComparisonSpec
    started: str
    """ISO 8601, UTC."""

    @property
    def id(self) -> str:
        return self.folder.name

    @cached_property
    def lock(self) -> FileLock:
        """Whoever holds it does the runs."""
        return FileLock(self.folder / ALIVE, thread_local=False)

    @property
    def results(self) -> Path:
        """Where the lines of the runs go."""
        return self.folder / RUNS

    @property
    def log(self) -> Path:
        """What its process prints, for those who look for a bug."""
        return self.folder / "log.txt"

    def lines(self) -> list[Line]:
        """The latest line of each run."""
        try:
            now = self.results.stat()
            return list(_lines(self.results, now.st_size, now.st_mtime_ns))
        except OSError:
            return []

    def end(self, problem: str = "") -> None:
        """Notes that it has ended: all runs are done, or `problem` says why not."""
        write_file(self.folder / END, json.dumps({"problem": problem}).encode())

    def go_on(self) -> None:
        """Takes back that it has ended."""
        with disk_errors(self.folder):
            (self.folder / END).unlink(missing_ok=True)

    def card(self) -> ComparisonCard:
        """Its line in the list."""
        lines = self.lines()
        failed = sum("error" in line for line in lines)
        state, problem = self._state()
        return ComparisonCard(
            id=self.id,
            spec=self.spec,
            state=state,
            started=self.started,
            done=len(lines) - failed,
            failed=failed,
            problem=problem,
        )

    def _state(self) -> tuple[RunState, str]:
        with suppress(OSError, ValueError, KeyError, TypeError):
            problem = str(json.loads((self.folder / END).read_text("utf-8"))["problem"])
            return RunState.FAILED if problem else RunState.DONE, problem
        return RunState.RUNNING if self.is_alive else RunState.STOPPED, ""

    @property
    def is_alive(self) -> bool:
        """Whether a process does its runs."""
        try:
            with self.lock.acquire(timeout=0):
                return False
        except (Timeout, OSError):
            return True


@lru_cache(32)
def _lines(file: Path, size: int, changed: int) -> tuple[Line, ...]:
    """Read anew when the file has another size or time: a page asks often."""
    return tuple(read_lines(file).values())


class ComparisonRecords:
    """All comparisons under one folder."""

    def __init__(self, folder: Path):
        self.folder = folder

    def create(self, spec: ComparisonSpec) -> ComparisonRecord:
        """A new folder with the spec in it."""
        now = datetime.now(UTC)
        name = slug(f"{now:%Y%m%d-%H%M%S}-{spec.data[0].argument()}")
        with locked(self.folder):
            folder = self.folder / free_name(name, [path.name for path in self._folders()])
            record = ComparisonRecord(folder, spec, now.isoformat(timespec="seconds"))
            values = {"started": record.started, "comparison": spec.to_json()}
            write_file(folder / SPEC, json.dumps(values, indent=1).encode())
        return record

    def record(self, id: str) -> ComparisonRecord:
        """The comparison called `id`; `UnknownName` if there is none."""
        folders = {folder.name: folder for folder in self._folders()}
        if id not in folders:
            raise UnknownName("comparison", id, sorted(folders)[-5:])
        return read_record(folders[id])

    def records(self) -> list[ComparisonRecord]:
        """All that can be read, latest first."""
        records = []
        for folder in self._folders():
            with suppress(PeftDemoError):
                records.append(read_record(folder))
        return sorted(records, key=lambda record: (record.started, record.id), reverse=True)

    def _folders(self) -> list[Path]:
        return [path.parent for path in self.folder.glob(f"*/{SPEC}")]


def read_record(folder: Path) -> ComparisonRecord:
    """The comparison in `folder`; `UnknownName` if it cannot be read."""
    try:
        values = json.loads((folder / SPEC).read_text("utf-8"))
        spec = ComparisonSpec.from_json(values["comparison"])
        started = str(values["started"])
    except (OSError, ValueError, KeyError, TypeError, PeftDemoError):
        raise UnknownName("readable comparison", folder.name, ()) from None
    return ComparisonRecord(folder, spec, started)
