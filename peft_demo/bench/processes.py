"""Commands as processes of their own in an empty home: what a person waits for, imports too."""

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import perf_counter
from typing import NamedTuple

from ..contracts.errors import PeftDemoError

PYTHON = (sys.executable, "-c")
PROGRAM = (sys.executable, "-m", "peft_demo")
LONGEST_REASON = 200
"""Characters."""


class Ended(NamedTuple):
    """What a command took, and what it printed on standard output."""

    seconds: float
    out: str


def run(program: Sequence[str], words: Sequence[str], home: Path, code: int = 0) -> Ended:
    """Runs a command in the folder `home` until it ends with this exit code.

    Whatever ends the wait, Ctrl-C for instance, ends the command too. Raises `PeftDemoError` with
    its last line if it ends otherwise.
    """
    command = [*program, *words]
    began = perf_counter()
    ended = subprocess.run(
        command,
        cwd=home,
        env=environment(home),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )
    seconds = perf_counter() - began
    if ended.returncode != code:
        raise failed(words, ended.stderr)
    return Ended(seconds, ended.stdout)


def environment(home: Path) -> Mapping[str, str]:
    """An empty home, this very code whatever else is installed, and Python as it comes: it keeps
    what it has compiled."""
    code = str(Path(__file__).parents[2])
    inherited = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return {**inherited, "PEFT_DEMO_HOME": str(home / "home"), "PYTHONPATH": code}


def failed(words: Sequence[str], reason: str) -> PeftDemoError:
    """The error of a command, from what it printed: its last line says why."""
    last = "".join(reason.strip().splitlines()[-1:])[:LONGEST_REASON] or "it said nothing"
    return PeftDemoError(f"`{' '.join(words)}` failed: {last.removesuffix('.')}.")
