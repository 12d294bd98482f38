"""A file of JSON lines, one for each run that ended. It only ever grows: what was measured is not measured again."""

import json
import os
from pathlib import Path

from ..storage.atomic import disk_errors


class Results:
    """The lines of one file. `CannotWrite` at once if it cannot be written to."""

    def __init__(self, file: Path):
        self.file = file.expanduser()
        with disk_errors(self.file):
            self.file.parent.mkdir(parents=True, exist_ok=True)
            with open(self.file, "a"):
                pass

    def lines(self) -> dict[str, dict]:
        """The latest line of each run, by its id; a line that was cut short is passed over."""
        found = map(_parsed, self.file.read_text("utf-8").splitlines())
        return {line["id"]: line for line in found if line}

    def add(self, line: dict) -> None:
        """Appends a line; it is on the disk afterwards."""
        with disk_errors(self.file), open(self.file, "ab+") as file:
            file.write((b"" if _whole(file) else b"\n") + json.dumps(line).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def _parsed(text: str) -> dict | None:
    try:
        line = json.loads(text)
    except ValueError:
        return None
    return line if isinstance(line, dict) and "id" in line else None


def _whole(file) -> bool:
    """Whether the file ends with a whole line: one that was cut short must not swallow the next."""
    if not file.seek(0, os.SEEK_END):
        return True
    file.seek(-1, os.SEEK_END)
    return file.read(1) == b"\n"
