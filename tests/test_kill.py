"""A small share of the deaths that `python -m tests.kill` tries."""

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_nothing_is_lost_when_processes_die_and_disks_fill_up():
    command = [sys.executable, "-m", "tests.kill", "--times", "4", "--seed", "0"]
    root = Path(__file__).parents[1]
    ended = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "0 wrong" in ended.stdout and "Traceback" not in ended.stderr
