"""A training process that is killed goes on, and ends with the same bits; see `kill_resume`."""

import random
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Windows has no fork"),
]


def test_killed_processes_resume_to_the_same_bits(tmp_path: Path, monkeypatch):
    """Law 13, on processes that die: `python -m tests.kill_resume --times 100` does more of it."""
    import kill_resume

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    chance = random.Random(1)
    deaths = [kill_resume.trial(tmp_path, number, chance) for number in (2, 8)]
    assert sum(deaths) >= 1
