"""A file of JSON lines, one for each run that ended. It only ever grows: no run is done twice."""

import json
import os
from pathlib import Path
from typing import IO, Any

from ...storage.atomic import disk_errors

Line = dict[str, Any]
"""A run that ended: its "id", what it was, and what it measured or the "error" it ended with."""


class Results:
    """The lines of one file. `CannotWrite` at once if it cannot be written to."""

    def __init__(self, file: Path):
        self.file = file.expanduser()
        with disk_errors(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            self.file.open("a").close()

    def lines(self) -> dict[str, Line]:
        """The latest line of each run, by its id. A line that was cut short is passed over."""
        return read_lines(self.file)

    def add(self, line: Line) -> None:
        """Appends a line; it is on the disk afterwards."""
        with disk_errors(self.file), open(self.file, "ab+") as file:
            if not _ends_with_whole_line(file):
                file.write(b"\n")
            file.write(json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def is_tested(line: Line) -> bool:
    """Whether its run ended well and looked at test images."""
    return "error" not in line and line["test_accuracy"] is not None


def read_lines(file: Path) -> dict[str, Line]:
    """The latest line of each run in a file, by its id."""
    lines = [_parsed(text) for text in file.read_text("utf-8").splitlines()]
    return {line["id"]: line for line in lines if line}


def _parsed(text: str) -> Line | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "id" in line else None


def _ends_with_whole_line(file: IO[bytes]) -> bool:
    """A line that was cut short must not swallow the next. Leaves the place at the end."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
