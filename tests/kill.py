"""Processes that die at random moments, and disks that fill up: nothing is lost, the next start is
clean.

    python -m tests.kill --times 100 --seed 1

Each time one or two processes work in the same home (they train, import, rename and delete) and are
killed with SIGKILL after a random time, or meet the end of the disk at a random byte. Whatever they
had told to be done must be there afterwards, and a studio that opens the home must find no half
file and no run that seems to go on. Prints a line of counts; exit code 1 if anything was lost.
"""

import argparse
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

from peft_demo.contracts.errors import PeftDemoError
from peft_demo.contracts.events import Failed
from peft_demo.contracts.specs import DataSpec, Recipe, RunSpec
from peft_demo.studio import Studio

SHIPPED = Path(__file__).parents[1] / "adapters_zoo"
ADAPTERS = ("lora-digits-s0", "linear-digits-s0")
RUN = RunSpec("linear", data=DataSpec(shots=1), size=32, recipe=Recipe(epochs=3), name="run")
LONGEST_S = 4.0
"""After at most so long a process is killed."""
LARGEST = 150_000
"""Bytes of a file at most, where the disk is full."""
TRAINS = 0.3
"""Of the processes; the others work on adapters."""

Say = Callable[[str], None]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.kill", description=__doc__)
    parser.add_argument("--times", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    counts = run(options.times, options.seed)
    print(", ".join(f"{count} {what}" for what, count in counts.items()))
    return 1 if counts["wrong"] else 0


def run(times: int, seed: int) -> Counter[str]:
    """What became of so many homes that processes died in."""
    chance = random.Random(seed)
    counts = Counter({"killed": 0, "full disks": 0, "kept": 0, "wrong": 0})
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        told: set[str] = set()
        for _ in range(times):
            told = _once(home, chance, told, counts)
            if not _child(lambda say, told=told: check(home, told, say)).ended():
                counts["wrong"] += 1
                shutil.rmtree(home)
                told = set()
    counts["kept"] += len(told)
    return counts


def _once(home: Path, chance: random.Random, told: set[str], counts: Counter[str]) -> set[str]:
    """Processes work in the home and die; the adapters that must be there afterwards."""
    full = chance.random() < 0.3
    seeds = [chance.random() for _ in range(chance.choice((1, 2)))]
    children = [_child(lambda say, s=s: work(home, s, full, say)) for s in seeds]
    time.sleep(chance.uniform(0, LONGEST_S))
    for child in children:
        if full:
            counts["full disks"] += 1
            counts["wrong"] += not child.ended()
        else:
            counts["killed"] += 1
            child.kill()
        told = (told | child.told("+")) - child.told("-")
    return told


def work(home: Path, seed: float, full: bool, say: Say) -> None:
    """Trains, or imports, renames and deletes, and says what is done: "+id", "-id".

    What is about to go is said before, what has come after.
    """
    chance = random.Random(seed)
    if full:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        most = chance.randrange(LARGEST)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    try:
        studio = Studio(home, offline=True, device="cpu")
        if chance.random() < TRAINS:
            _train(studio, say)
        else:
            _change_adapters(studio, chance, say)
    except PeftDemoError as error:
        assert full, f"not on a full disk: {error}"


def _train(studio: Studio, say: Say) -> None:
    id = studio.training.start(RUN)
    studio.training.wait()
    for event in studio.training.follow(id)[0]:
        if isinstance(event, Failed):
            assert "broke" not in event.sentence, event
    if adapter := studio.training.run(id).adapter:
        say(f"+{adapter}")


def _change_adapters(studio: Studio, chance: random.Random, say: Say) -> None:
    for _ in range(6):
        id = studio.zoo.take(SHIPPED / f"{chance.choice(ADAPTERS)}.safetensors")
        say(f"+{id}")
        if chance.random() < 0.3:
            say(f"-{id}")
            id = studio.zoo.rename(id, chance.choice(("mine", "yours")))
            say(f"+{id}")
        if chance.random() < 0.3:
            say(f"-{id}")
            studio.zoo.delete(id)


def check(home: Path, told: set[str], say: Say) -> None:
    """Raises unless the next start finds all that was told, whole."""
    studio = Studio(home, offline=True, device="cpu")
    entries = {entry.id: entry for entry in studio.zoo.entries() if not entry.shipped}
    broken = {id: entry.refusal for id, entry in entries.items() if entry.refusal}
    assert not broken, f"half files: {broken}"
    lost = told - entries.keys()
    assert not lost, f"lost: {lost}"
    for card in studio.training.runs():
        assert card.state.is_over, f"seems to go on: {card}"
        studio.training.follow(card.id)
    left = list((home / "zoo").glob(".*.tmp"))
    assert not left, f"left behind: {left}"


class _Child:
    """A forked process and what it said."""

    def __init__(self, pid: int, pipe: int):
        self._pid = pid
        self._pipe = pipe
        self._text = ""

    def kill(self) -> None:
        os.kill(self._pid, signal.SIGKILL)
        self.ended()

    def ended(self) -> bool:
        """Waits for its end; whether it ended well."""
        with os.fdopen(self._pipe) as pipe:
            self._text = pipe.read()
        return os.waitpid(self._pid, 0)[1] == 0

    def told(self, sign: str) -> set[str]:
        """Ids whose last word was this sign."""
        last = {line[1:]: line[0] for line in self._text.split()}
        return {id for id, latest in last.items() if latest == sign}


def _child(job: Callable[[Say], None]) -> _Child:
    """Runs the job in a process of its own. Forked, as importing torch takes seconds."""
    ours, theirs = os.pipe()
    pid = os.fork()
    if pid:
        os.close(theirs)
        return _Child(pid, ours)
    os.close(ours)
    code = 1
    try:
        job(lambda line: os.write(theirs, f"{line}\n".encode()))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    sys.exit(main())
