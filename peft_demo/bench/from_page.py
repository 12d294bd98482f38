"""python -m peft_demo.bench.from_page FOLDER DEVICE: what is left of a comparison that the page
asked for (`studio/comparison/record.py`).

Tells what it does on standard output, a JSON object a line, and ends with its standard input.
"""

import json
import os
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from threading import Thread
from time import monotonic
from typing import TextIO

from ..contracts.comparison import ComparisonSpec
from ..contracts.errors import PeftDemoError
from ..studio import Studio
from ..studio.comparison.contenders import contenders
from ..studio.comparison.record import ComparisonRecord, read_record
from ..studio.comparison.results import Results
from ..vit import Backbone, load
from . import comparison
from .sweep import Job, Sweep

PROGRESS_S = 0.5
"""Seconds between two lines about the same task."""


class Told:
    """The `sweep.Progress` of a page."""

    def __init__(self, out: TextIO):
        self._out = out
        self._what = ""
        self._at = 0.0

    def report(self, what: str, fraction: float = -1.0) -> None:
        if what == self._what and monotonic() - self._at < PROGRESS_S:
            return
        self._what = what
        self._at = monotonic()
        words = re.sub(r"^\[\d+/\d+\] ", "", what)  # the page counts the runs itself
        percent = f", {100 * fraction:.0f} %" if fraction >= 0 else ""
        print(json.dumps({"doing": f"{words}{percent}"}), file=self._out, flush=True)

    def line(self, text: str) -> None:
        """Lines of runs stand in the results."""


def do(record: ComparisonRecord, device: str, told: Told) -> None:
    """Does the runs that have no line yet; the record has an end afterwards."""
    spec = record.spec
    studio = Studio(allow_local_paths=True, device=device)
    try:
        told.report("loading the backbone")
        backbone = load(
            spec.backbone,
            spec.size,
            home=studio.home.root,
            device=device,
            offline=studio.offline,
            report=told.report,
        )
        sweep = Sweep(studio, backbone, Results(record.results), told, workers=spec.workers)
        sweep.do(jobs(spec, backbone))
        record.end()
    except PeftDemoError as error:
        record.end(str(error))
    except Exception as error:
        words = " ".join(f"{type(error).__name__}: {error}".split())[:200]
        record.end(f"it broke: {words}. Please report this, with {record.log.name} of {record.id}.")
        raise


def jobs(spec: ComparisonSpec, backbone: Backbone) -> list[Job]:
    """All runs of a comparison, those of few shots first."""
    compared = contenders(",".join(spec.methods))
    wanted = []
    for shots in sorted(spec.shots):
        data = spec.at(shots)
        wanted += comparison.jobs(compared, spec.seeds, data, backbone, spec.recipe)
    return wanted


def _end_with(stream: TextIO) -> None:
    """Ends this process as soon as the stream does."""
    while stream.read(4096):
        pass
    os._exit(1)


def main(folder: Path, device: str) -> None:
    Thread(target=_end_with, args=[sys.stdin], daemon=True).start()
    record = read_record(folder)
    told = Told(sys.stdout)
    with redirect_stdout(sys.stderr), record.lock.acquire(timeout=10):
        do(record, device, told)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
