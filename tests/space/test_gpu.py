"""Runs on a borrowed GPU, as a stand-in for ZeroGPU does it: in a forked process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

CHECKS = Path(__file__).with_name("gpu_checks.py")
ROOT = CHECKS.parents[2]


@pytest.mark.skipif(
    sys.platform != "linux", reason="Spaces run on Linux; forking is not safe elsewhere"
)
def test_gpu_checks_pass_in_a_process_of_their_own():
    """A process in which other tests have trained may no longer fork one that trains: PyTorch
    refuses it (https://github.com/pytorch/pytorch/wiki/Autograd-and-Fork). A Space never trains in
    the process that it forks."""
    command = [sys.executable, "-m", "pytest", "-n", "0", str(CHECKS)]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
