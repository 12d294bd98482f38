"""The minutes that are left: of what is left to run, without the time the process was suspended."""

import pytest

from peft_demo.bench import clock
from peft_demo.bench.clock import Clock


@pytest.fixture
def time(monkeypatch):
    """[seconds that passed, seconds of processor time], to be set."""
    now = [0.0, 0.0]
    monkeypatch.setattr(clock, "monotonic", lambda: now[0])
    monkeypatch.setattr(clock, "process_time", lambda: now[1])
    return now


def work(time, seconds):
    time[0] += seconds
    time[1] += seconds


def test_each_contender_takes_what_its_own_runs_took(time):
    left = Clock(["linear", "lora", "linear", "lora", "lora"])
    assert left.left() == ""
    with left.run("linear"):
        work(time, 60)
    assert left.left() == ", about 4 min left", "as long as the only one that is known"
    with left.run("lora"):
        work(time, 600)
    assert left.left() == ", about 21 min left"


def test_what_is_known_already_is_not_left(time):
    left = Clock(["lora"])
    with left.run("linear"):
        work(time, 60)
    assert left.left() == ", about 1 min left"


def test_a_night_in_which_the_process_was_suspended_does_not_count(time):
    left = Clock(["lora", "lora"])
    with left.run("lora"):
        work(time, 50)
        left.tick()
        time[0] += 30_000
        work(time, 1)
        left.tick()
        work(time, 49)
    assert left.left() == ", about 2 min left"


def test_hours_are_hours(time):
    left = Clock(["full"] * 3)
    with left.run("full"):
        work(time, 3600)
    assert left.left() == ", about 2.0 h left"
