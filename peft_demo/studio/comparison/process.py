"""The process that does the runs of a comparison, and the thread that waits for it.

It is a program of its own (`bench.from_page`), for one process trains one model at a time, and this
one answers pictures meanwhile. It tells on its standard output what it does, and ends as soon as
its standard input does: with Stop, and with this process, however that ends.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import Thread

from ...storage.atomic import disk_errors
from ...storage.home import Home
from .record import ComparisonRecord

ROOT = Path(__file__).parents[3]
"""Where the package lies, whether it is installed or not."""
PROGRAM = (sys.executable, "-m", "peft_demo.bench.from_page")


class ComparisonProcess:
    """Does what is left of a comparison; `ended` is called once when it has ended."""

    def __init__(
        self,
        record: ComparisonRecord,
        home: Home,
        device: str,
        offline: bool,
        ended: Callable[[], None],
    ):
        self.record = record
        self.doing = "starting"
        """What it does at this moment."""
        self._ended = ended
        with disk_errors(record.folder), open(record.log, "wb") as log:
            self._process = subprocess.Popen(
                [*PROGRAM, str(record.folder), device],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env=_environment(home, offline),
                text=True,
            )
        self._thread = Thread(target=self._listen, daemon=True, name="comparison")
        self._thread.start()

    def stop(self) -> None:
        """It ends at once; the runs that have ended are kept."""
        if self._process.stdin:
            with suppress(OSError):
                self._process.stdin.close()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until it has ended, at most so many seconds; whether it has."""
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _listen(self) -> None:
        process = self._process
        assert process.stdout
        with process.stdout as lines:
            for line in lines:
                with suppress(ValueError, KeyError, TypeError):
                    self.doing = str(json.loads(line)["doing"])
        process.wait()
        self.stop()
        self._ended()


def _environment(home: Home, offline: bool) -> dict[str, str]:
    places = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {
        **os.environ,
        "PEFT_DEMO_HOME": str(home.root),
        "PYTHONPATH": os.pathsep.join(places),
    }
    if offline:
        environment |= {"HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    return environment
