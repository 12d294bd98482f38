"""How soon a command answers, and the page, beside the imports that most of its time goes into.

Every command runs as a process of its own in an empty home, in turns with its reference: the same
Python that only imports. What answers without torch takes a fraction of that.
"""

import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from socket import socket
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter, sleep
from typing import Any, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from PIL import Image

from ..contracts.progress import Report
from .processes import PROGRAM, PYTHON, environment, failed, run

MODEL = "import torch, timm"
PAGE = "import gradio, torch, timm"
ADAPTER = "lora-digits-s0"
"""One that comes with the project."""
PICTURE = "picture.png"
LONGEST_S = 120.0
"""Seconds after which a page is given up."""

Row = dict[str, Any]
"""A start, as JSON: "what" is started, "seconds", the "reference" it stands beside, "reference_s",
and "ratio", how many times the reference's time it takes."""

HEAD = ("WHAT", "SECONDS", "TIMES", "OF")


class Start(NamedTuple):
    """Words of a command, what it stands beside, and the exit code it has to end with."""

    words: tuple[str, ...]
    reference: str
    code: int = 0


STARTS = (
    Start(("zoo",), MODEL),
    Start(("train", "--method", "lroa", "--data", "digits"), MODEL, code=2),
    Start(("predict", ADAPTER, PICTURE), MODEL),
)
SERVER = "app"


def measure(turns: int, report: Report) -> list[Row]:
    """A row for each of `STARTS`, and one for the page: medians over the turns, after one that is
    not counted."""
    with TemporaryDirectory() as folder:
        home = Path(folder)
        Image.new("RGB", (64, 64), "white").save(home / PICTURE)
        rows = [_row(" ".join(start.words), start, home, turns, report) for start in STARTS]
        return [*rows, _row(SERVER, Start((SERVER, "--offline"), PAGE), home, turns, report)]


def _row(what: str, start: Start, home: Path, turns: int, report: Report) -> Row:
    pairs = []
    for turn in range(turns + 1):
        report(what, turn / (turns + 1))
        own = _served_s(start, home) if what == SERVER else _run_s(start, home)
        pairs.append((own, run(PYTHON, (start.reference,), home).seconds))
    pairs = pairs[1:]
    return {
        "what": what,
        "reference": start.reference,
        "seconds": median(own for own, _ in pairs),
        "reference_s": median(reference for _, reference in pairs),
        "ratio": median(own / reference for own, reference in pairs),
    }


def _run_s(start: Start, home: Path) -> float:
    """Seconds of the whole command."""
    return run(PROGRAM, start.words, home, start.code).seconds


def _served_s(start: Start, home: Path) -> float:
    """Seconds until the page answers; the server then ends."""
    port = _free_port()
    command = [*PROGRAM, *start.words, "--port", str(port)]
    began = perf_counter()
    with subprocess.Popen(
        command,
        cwd=home,
        env=environment(home),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            while not _answers(port):
                if server.poll() is not None or perf_counter() - began > LONGEST_S:
                    raise failed(start.words, "the page did not answer")
                sleep(0.01)
            return perf_counter() - began
        finally:
            server.kill()


def _answers(port: int) -> bool:
    with suppress(URLError, ConnectionError, TimeoutError):
        return urlopen(f"http://127.0.0.1:{port}/", timeout=5).status == 200
    return False


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def printed(rows: Sequence[Row]) -> list[tuple[str, ...]]:
    """The rows as cells under `HEAD`."""
    return [
        (row["what"], f"{row['seconds']:.2f}", f"{row['ratio']:.2f}", row["reference"])
        for row in rows
    ]
