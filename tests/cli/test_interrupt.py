"""Ctrl-C as a terminal sends it: to every process of the foreground group of a real terminal."""

import json
import os
import pty
import re
import select
import subprocess
import sys
import termios
import time
from contextlib import suppress
from pathlib import Path

import pytest

from peft_demo.cli.interrupt import FirstInterrupt

pytestmark = pytest.mark.slow
CTRL_C = b"\x03"
TIMEOUT_S = 120


class Typed:
    """A command in a terminal of its own, its foreground process group. `text` is what it shows."""

    def __init__(self, home: Path, *words):
        self.answer = home.parent / "answer.txt"
        ours, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (24, 80))
        environment = {**os.environ, "PEFT_DEMO_HOME": str(home), "HF_HUB_OFFLINE": "1"}
        with self.answer.open("wb") as out:
            self.process = subprocess.Popen(
                [sys.executable, "-c", TAKE_THE_TERMINAL, *map(str, words)],
                env=environment,
                stdin=theirs,
                stdout=out,
                stderr=theirs,
                start_new_session=True,
            )
        os.close(theirs)
        self.terminal = ours
        self.text = ""

    def wait_for(self, pattern: str) -> None:
        """Reads what is shown until it matches."""
        deadline = time.monotonic() + TIMEOUT_S
        while not re.search(pattern, self.text):
            assert time.monotonic() < deadline, self.text
            if select.select([self.terminal], [], [], 1)[0]:
                self.text += os.read(self.terminal, 65536).decode(errors="replace")

    def press_ctrl_c(self) -> None:
        os.write(self.terminal, CTRL_C)

    def end(self) -> int:
        """Reads until the command has ended; its exit code."""
        with suppress(OSError):  # raised when the other side is closed
            while shown := os.read(self.terminal, 65536):
                self.text += shown.decode(errors="replace")
        return self.process.wait(TIMEOUT_S)


TAKE_THE_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from peft_demo.__main__ import main
main(sys.argv[1:])
"""


@pytest.fixture
def typed(home):
    commands = []

    def start(*words) -> Typed:
        commands.append(Typed(home, *words))
        return commands[-1]

    yield start
    for command in commands:
        command.process.kill()
        command.process.wait()
        os.close(command.terminal)


def test_train_stops_and_keeps_the_best(typed, train):
    command = typed(*train("--epochs", 1000, "--json"))
    command.wait_for("validation accuracy")
    command.press_ctrl_c()
    assert command.end() == 0, command.text
    assert "stopping, what it has is kept" in command.text
    result = json.loads(command.answer.read_text())
    assert result["stopped"] is True and Path(result["file"]).is_file()


def test_check_ends_at_once(typed, many_photos):
    command = typed("check", many_photos)
    command.wait_for("pictures")
    command.press_ctrl_c()
    assert command.end() == 130
    assert "Traceback" not in command.text and command.answer.read_text() == ""


def test_compare_says_how_to_go_on(typed):
    words = ["--data", "digits", "--methods", "lora", "--seeds", 1, "--size", 32, "--epochs", 1000]
    command = typed("compare", *words)
    command.wait_for(r"\[1/1\] lora")
    command.press_ctrl_c()
    assert command.end() == 130
    assert "goes on from" in command.text and "Traceback" not in command.text


def test_compare_leaves_no_worker_behind(typed):
    words = ["--data", "digits", "--methods", "lora,linear", "--size", 32, "--epochs", 1000]
    command = typed("compare", *words, "--seeds", 2, "--workers", 2)
    command.wait_for("2 at a time")
    time.sleep(6)  # the workers are starting, or at work
    command.press_ctrl_c()
    assert command.end() == 130, command.text
    assert "goes on from" in command.text and "Traceback" not in command.text
    deadline = time.monotonic() + TIMEOUT_S
    while command.process.pid in sessions():
        assert time.monotonic() < deadline


def sessions() -> list[int]:
    """The session of every process of this machine."""
    listed = subprocess.run(["ps", "-A", "-o", "sess="], capture_output=True, text=True)
    return [int(line) for line in listed.stdout.splitlines()]


def test_predict_keeps_what_was_answered(typed, many_photos, tmp_path):
    table = tmp_path / "answers.csv"
    command = typed("predict", "lora-digits-s0", many_photos, "--csv", table)
    command.wait_for(r"classifying: +[1-9]")
    command.press_ctrl_c()
    assert command.end() == 130
    assert "Traceback" not in command.text
    assert 100 < len(table.read_text().splitlines()) < 20_000


def test_the_first_interrupt_is_noted_and_the_second_is_one():
    with FirstInterrupt() as interrupt:
        assert not interrupt.came
        os.kill(os.getpid(), 2)
        assert interrupt.came
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), 2)
