"""Runs that wait for the one in progress, driven by scripted generators."""

import subprocess
import sys
from pathlib import Path
from threading import Event as Flag
from time import sleep

import pytest

from peft_demo.contracts.errors import NotAllowed
from peft_demo.contracts.events import Failed, Finished, Interrupted, Queued, Started, Stopped
from peft_demo.contracts.run_state import state_of
from peft_demo.contracts.specs import RunSpec
from peft_demo.studio.jobs import NOTHING_DONE, Jobs
from peft_demo.studio.record import NOT_BEGUN
from peft_demo.studio.runs import Runs

STARTED = Started(100, 10, 5, 2, 0.1, ("a", "b"), 4, 2, 0, "cpu", "f" * 64)
FINISHED = Finished(3, 3, 0.5, None, 0, 1.0, 10.0, 5.0, 5, 2, 100, "f" * 64, True)


class Line:
    """Jobs whose runs go on until they are let go or stopped; `order` is the names that began."""

    def __init__(self, home: Path):
        self.order: list[str] = []
        self.go = Flag()
        self.jobs = Jobs(Runs(home / "runs"), self._source, lambda content, id: id or "kept")

    def _source(self, run, report, stop, state):
        self.order.append(run.name)
        yield STARTED
        if run.name == "broken":
            raise ZeroDivisionError
        while not self.go.is_set() and not stop():
            sleep(0.002)
        yield FINISHED if self.go.is_set() else NOTHING_DONE

    def start(self, *names: str) -> list[str]:
        return [self.jobs.start(RunSpec(name=name)) for name in names]

    def end(self) -> None:
        self.go.set()
        assert self.jobs.wait(10)

    def last(self, id: str):
        return self.jobs.runs.record(id).journal.last()


@pytest.fixture
def line(tmp_path):
    line = Line(tmp_path)
    yield line
    line.jobs.close(5)


def test_a_second_start_waits_and_begins_by_itself(line):
    first, second, third = line.start("first", "second", "third")
    assert [line.jobs.place(id) for id in (first, second, third)] == [0, 1, 2]
    assert state_of(line.jobs.runs.record(second).journal.read()[0]) == "queued"
    assert isinstance(line.last(second), Queued)
    line.end()
    assert line.order == ["first", "second", "third"]
    assert all(type(line.last(id)) is Finished for id in (first, second, third))


@pytest.mark.parametrize("ending", ["stopped", "failed"])
def test_the_next_begins_however_the_one_before_ended(line, ending):
    first, second = line.start("broken" if ending == "failed" else "first", "second")
    if ending == "stopped":
        line.jobs.stop(first)
    while line.order[-1] != "second":
        sleep(0.002)
    assert isinstance(line.last(first), Failed if ending == "failed" else Stopped)
    line.end()
    assert type(line.last(second)) is Finished


def test_runs_in_line_are_moved_and_cancelled(line):
    ids = dict(zip("abcd", line.start(*"abcd"), strict=True))
    line.jobs.move(ids["d"], -2)
    line.jobs.move(ids["b"], 1)
    line.jobs.move(ids["c"], 9)  # not further than the end
    line.jobs.stop(ids["b"])
    assert line.jobs.place(ids["d"]) == 1 and line.jobs.place(ids["c"]) == 2
    with pytest.raises(NotAllowed, match="does not wait"):
        line.jobs.move(ids["a"], 1)
    line.end()
    assert line.order == ["a", "d", "c"]
    assert isinstance(line.last(ids["b"]), Stopped)


def test_closing_interrupts_what_waits_and_it_can_begin_later(line):
    first, second = line.start("first", "second")
    line.jobs.close(5)
    assert isinstance(line.last(first), Stopped)
    assert line.last(second) == Interrupted(NOT_BEGUN)
    again = Jobs(Runs(line.jobs.runs.folder), line._source, lambda content, id: id)
    assert again.running is None, "nothing begins by itself"
    line.go.set()
    again.resume(again.runs.record(second))
    assert again.wait(10)
    assert type(line.last(second)) is Finished and line.order == ["first", "second"]


DIES = """
import os, sys, time
from pathlib import Path
from peft_demo.contracts.specs import RunSpec
from peft_demo.studio.jobs import Jobs
from peft_demo.studio.runs import Runs
def endless(run, report, stop, state):
    time.sleep(60)
    yield
jobs = Jobs(Runs(Path(sys.argv[1])), endless, lambda content, id: id)
jobs.start(RunSpec())
jobs.start(RunSpec())
os._exit(1)
"""


def test_a_run_that_waited_when_the_process_was_killed_is_not_lost(tmp_path):
    subprocess.run([sys.executable, "-c", DIES, str(tmp_path)], timeout=60, check=False)
    runs = Runs(tmp_path)
    runs.settle()
    waited, begun = runs.records()
    assert waited.journal.last() == Interrupted(NOT_BEGUN)
    assert begun.journal.last() == Interrupted()


def test_a_resumed_run_waits_too_and_cancelled_stays_interrupted(line):
    record = line.jobs.runs.create(RunSpec(name="resumed"))
    record.journal.append(Interrupted())
    record.lock.release()
    line.start("first")
    line.jobs.resume(record)
    assert line.jobs.place(record.id) == 1
    line.jobs.stop(record.id)
    assert record.journal.last() == Interrupted() and not record.lock.is_locked
