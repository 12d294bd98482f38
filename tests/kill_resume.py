"""Kills training processes at random moments (kill -9), resumes them, and compares the bits.

    python -m tests.kill_resume --times 100 --seed 0

Each process is forked from this one, which has imported everything: a hundred take minutes. It
trains in a home of its own, dies at a random moment after its run began, goes on with `resume`,
which may die as well, and must leave one adapter with the tensors and the curves of a run that was
never killed, and no state.
"""

import argparse
import os
import random
import shutil
import signal
import sys
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import torch
from torch import Tensor

import peft_demo.__main__  # noqa: F401  composes the commands
from peft_demo import cli
from peft_demo.adapters import AdapterFile
from peft_demo.studio.record import STATE
from peft_demo.studio.runs import Runs

TIMEOUT_S = 300.0
DIGITS = "--data digits --shots 2 --size 32 --epochs 10 --batch 20"
COMMANDS = (
    f"train {DIGITS} --method lora --augment crop+flip",
    f"train {DIGITS} --method linear",
    f"train {DIGITS} --method spt_lora --set dropout=0.2 --augment crop",
    f"train {DIGITS} --method bi_lora --set head_bits=1",
    f"train {DIGITS} --method arc",
    f"train {DIGITS} --method lora --tune 3",
)


@dataclass
class Process:
    """A command in a process of its own, with its home."""

    pid: int
    home: Path

    def ended(self) -> bool:
        """Whether it has ended; its exit code must be 0 then."""
        pid, status = os.waitpid(self.pid, os.WNOHANG)
        assert not pid or status == 0, f"status {status}: {(self.home / 'output.txt').read_text()}"
        return pid != 0

    def wait(self) -> None:
        """Until it has ended well."""
        deadline = time.monotonic() + TIMEOUT_S
        while not self.ended():
            assert time.monotonic() < deadline, (self.home / "output.txt").read_text()
            time.sleep(0.01)

    def kill_within(self, seconds: float) -> bool:
        """Kills it after `seconds`; whether it was still there to be killed."""
        ends = time.monotonic() + seconds
        while time.monotonic() < ends:
            if self.ended():
                return False
            time.sleep(0.001)
        if self.ended():
            return False
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return True


def start(home: Path, command: str) -> Process:
    """A child that does the command in `home`; what it prints goes to a file there."""
    home.mkdir(parents=True, exist_ok=True)
    pid = os.fork()
    if pid:
        return Process(pid, home)
    code = 1
    try:
        os.environ["PEFT_DEMO_HOME"] = str(home)
        output = os.open(home / "output.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(output, 1)
        os.dup2(output, 2)
        code = cli.run(command.split())
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def wait_for_run(process: Process) -> None:
    """Until the run has its folder: before that there is nothing to go on with."""
    while not list(process.home.glob("runs/*/spec.json")):
        assert not process.ended(), f"no run: {(process.home / 'output.txt').read_text()}"
        time.sleep(0.001)


def outcome(home: Path) -> tuple[dict[str, Tensor], tuple]:
    """The tensors and curves of the one adapter that a home holds, and no state beside it."""
    (path,) = home.glob("zoo/*.safetensors")
    left = [*home.glob(f"runs/*/{STATE}"), *home.glob("runs/*/.*.tmp")]
    assert not left, f"left behind: {left}"
    file = AdapterFile.open(path)
    card = file.card
    return file.tensors(), (card.curve, card.accuracy_curve, card.test_accuracy)


def reference(home: Path, command: str) -> float:
    """Trains without an interruption; the seconds from the run's beginning to its end."""
    process = start(home, command)
    wait_for_run(process)
    began = time.monotonic()
    process.wait()
    return time.monotonic() - began


def killed_and_resumed(home: Path, command: str, seconds: float, chance: random.Random) -> int:
    """Trains with kills at random moments of `seconds`; how often it died."""
    process = start(home, command)
    wait_for_run(process)
    kills = 0
    while process.kill_within(chance.uniform(0, seconds)):
        kills += 1
        if ended_before(home):
            break
        process = start(home, "resume")
        if kills > 2:
            process.wait()
            break
    return kills


def ended_before(home: Path) -> bool:
    """Whether the run had come to its end when its process died; the next start clears up then."""
    runs = Runs(home / "runs")
    (run,) = runs.records()
    runs.settle()
    return run.is_over


def compare(first: Path, second: Path) -> None:
    """Fails unless both homes hold the same adapter, bit for bit."""
    tensors, curves = outcome(first)
    others, other_curves = outcome(second)
    assert curves == other_curves, f"{curves} before, {other_curves} after {second}"
    assert tensors.keys() == others.keys(), f"{tensors.keys()} before, {others.keys()} after"
    changed = [name for name in tensors if not torch.equal(tensors[name], others[name])]
    assert not changed, f"other values after {second}: {changed}"


def trial(root: Path, number: int, chance: random.Random) -> int:
    """One run that is killed and resumed, beside its reference; how often it died."""
    command = COMMANDS[number % len(COMMANDS)]
    whole = root / f"whole-{number % len(COMMANDS)}"
    seconds = whole / "seconds.txt"
    if not seconds.exists():
        duration = reference(whole, command)
        seconds.write_text(str(duration))
    home = root / f"killed-{number}"
    kills = killed_and_resumed(home, command, float(seconds.read_text()), chance)
    compare(whole, home)
    shutil.rmtree(home)
    return kills


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=10, help="runs to kill")
    parser.add_argument("--seed", type=int, default=0, help="of the moments")
    options = parser.parse_args()
    root = Path(mkdtemp())
    chance = random.Random(options.seed)
    kills = 0
    for number in range(options.times):
        kills += trial(root, number, chance)
        print(f"{number + 1} runs, killed {kills} times, ended with the same bits", flush=True)
    shutil.rmtree(root)


if __name__ == "__main__":
    main()
