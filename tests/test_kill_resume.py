"""A training process that is killed goes on, and ends with the same bits; see `kill_resume`."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork"),
]


def test_killed_processes_resume_to_the_same_bits():
    """Law 13, on processes that die: `python -m tests.kill_resume --times 100` does more of it.

    In a process of its own, as one in which other tests have trained may not fork one that trains.
    """
    command = [sys.executable, "-m", "tests.kill_resume", "--times", "3", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    killed = re.search(r"3 runs, killed (\d+) times, ended with the same bits", done.stdout)
    assert killed and int(killed[1]) >= 1, done.stdout
