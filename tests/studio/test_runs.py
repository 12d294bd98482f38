"""Runs on disk: who lives, who was interrupted, in which order, and what is left of the dead."""

import os
import subprocess
import sys
from datetime import datetime, timedelta

import pytest

from peft_demo.contracts.errors import (
    BadValue,
    CannotWrite,
    NotAllowed,
    PeftDemoError,
    UnknownName,
)
from peft_demo.contracts.events import Failed, Interrupted, Saved, Stepped
from peft_demo.contracts.specs import RunSpec
from peft_demo.studio.runs import Runs

HOLD = """
import sys
from datetime import datetime, timedelta
from filelock import FileLock
with FileLock(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def runs(tmp_path) -> Runs:
    return Runs(tmp_path / "runs")


def test_a_run_whose_process_died_is_interrupted_when_the_studio_opens_again(runs):
    record = runs.create(RunSpec())
    record.journal.append(Stepped(1, 1.0, 1e-3, 1.0, 1.0, 1.0))
    record.journal.append(Saved(1, "kept", 10))
    assert runs.card(record).state == "preparing", "its lock is held: it lives"
    record.lock.release()  # what the system does when a process dies

    again = Runs(runs.folder)
    card = again.card(again.records()[0])
    assert (card.state, card.adapter) == ("interrupted", "kept")
    assert again.record(record.id).journal.read()[0][-1] == Interrupted()


def test_a_run_that_lives_in_another_process_is_left_alone(runs):
    record = runs.create(RunSpec())
    record.lock.release()
    lock = runs.folder / record.id / "alive.lock"
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(lock)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout.readline() == b"held\n"
        again = Runs(runs.folder)
        assert again.card(again.records()[0]).state == "preparing"
        other.kill()
        other.wait()
        assert again.card(again.records()[0]).state == "interrupted"


def test_runs_started_in_the_same_second_get_names_of_their_own(runs):
    ids = [runs.create(RunSpec()).id for _ in range(3)]
    assert len(set(ids)) == 3
    assert sorted(r.id for r in runs.records()) == sorted(ids)


@pytest.mark.parametrize("id", ["../runs", "/etc", "", "nope", "..", "a/b"])
def test_a_run_is_looked_up_never_joined(runs, id):
    runs.create(RunSpec())
    with pytest.raises(UnknownName, match="no run"):
        runs.record(id)


def test_a_folder_that_cannot_be_read_does_not_hide_the_others(runs):
    good = runs.create(RunSpec())
    for name, content in (("broken", b"{"), ("odd", b'{"run": {"method": 1}, "started": 2}')):
        (runs.folder / name).mkdir()
        (runs.folder / name / "spec.json").write_bytes(content)
    assert [r.id for r in Runs(runs.folder).records()] == [good.id]


START = """
import sys
from datetime import datetime, timedelta
from peft_demo.contracts.specs import RunSpec
from peft_demo.studio.runs import Runs
runs = Runs(__import__("pathlib").Path(sys.argv[1]))
print("ready", flush=True)
sys.stdin.readline()
for _ in range(10):
    print(runs.create(RunSpec()).id, flush=True)
"""


def test_runs_started_at_once_by_two_processes_all_start(runs):
    """Each has a folder and a number of its own."""
    several = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(runs.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in several] == ["ready\n"] * 2
    for process in several:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].split() for process in several]
    ids = [id for output in told for id in output]
    assert len(set(ids)) == 20
    assert sorted(record.number for record in runs.records()) == list(range(1, 21))


def test_the_list_is_in_order_with_the_clock_a_day_back(runs, monkeypatch):
    first = runs.create(RunSpec())

    class Yesterday(datetime):
        @classmethod
        def now(cls, tz=None):
            return datetime.now(tz) - timedelta(days=1)

    monkeypatch.setattr("peft_demo.studio.runs.datetime", Yesterday)
    second = runs.create(RunSpec())
    assert second.id < first.id, "names tell the time of the clock"
    assert [record.id for record in Runs(runs.folder).records()] == [second.id, first.id]


def test_a_run_that_died_before_it_had_a_spec_is_swept(runs):
    kept = runs.create(RunSpec())
    left = runs.folder / "20260101-000000-lora-digits"
    left.mkdir()
    (left / "alive.lock").touch()
    (left / f".{'0' * 32}.tmp").write_text("half a spec")
    Runs(runs.folder).settle()
    assert not left.exists()
    assert [record.id for record in Runs(runs.folder).records()] == [kept.id]


def test_on_a_full_disk_no_run_starts_and_nothing_is_left(runs, monkeypatch, full_disk):
    with monkeypatch.context() as patched:
        patched.setattr("os.replace", full_disk)
        with pytest.raises(CannotWrite, match=r"the disk is full: spec\.json"):
            runs.create(RunSpec())
    assert runs.records() == []
    assert not [path for path in runs.folder.iterdir() if path.is_dir()]


@pytest.mark.parametrize(
    "spec",
    [
        b"[]",
        b'"text"',
        b"[" * 100_000,
        b'{"run": null, "started": "now"}',
        b'{"number": "2", "started": "now", "run": {"data": {}, "recipe": {}}}',
        b'{"started": "now", "run": {"data": {}, "recipe": {"lr": ' + b"9" * 400 + b"}}}",
        b'{"started": "now", "run": {"data": {}, "recipe": {"colour": 1}}}',
    ],
)
def test_a_damaged_spec_leaves_the_others_as_they_are(runs, spec):
    good = runs.create(RunSpec())
    (runs.folder / "odd").mkdir()
    (runs.folder / "odd" / "spec.json").write_bytes(spec)
    again = Runs(runs.folder)
    again.settle()
    assert [record.id for record in again.records()] == [good.id]
    assert again.create(RunSpec()).number == 2
    with pytest.raises(PeftDemoError):
        again.record("odd")


def test_the_state_of_a_run_that_has_ended_is_swept(runs):
    """Its process died between the last line of the journal and the state."""
    ended, interrupted = runs.create(RunSpec()), runs.create(RunSpec())
    ended.journal.append(Failed("memory ran out."))
    for record in (ended, interrupted):
        record.state_file.write_bytes(b"state")
        (record.state_file.parent / f".{'0' * 32}.tmp").write_bytes(b"half a state")
        record.lock.release()
    Runs(runs.folder).settle()
    assert not ended.state_file.exists() and interrupted.state() == b"state"
    assert not list(interrupted.state_file.parent.glob(".*.tmp"))


def test_settling_leaves_what_is_no_run_alone(runs):
    """A home may be a folder that somebody uses already, with `runs` of another program in it."""
    other = runs.folder / "exp1"
    other.mkdir(parents=True)
    (other / "events.out.tfevents").write_text("precious")
    (runs.folder / "begun").mkdir()
    (runs.folder / "begun" / "alive.lock").write_text("")
    runs.settle()
    assert (other / "events.out.tfevents").read_text() == "precious"
    assert not (runs.folder / "begun").exists()


def test_pipes_where_files_of_a_run_belong_keep_nobody_waiting(runs):
    record = runs.create(RunSpec())
    os.mkfifo(record.journal.path)
    (runs.folder / "odd").mkdir()
    os.mkfifo(runs.folder / "odd" / "spec.json")
    assert Runs(runs.folder).ids() == [record.id]
    assert record.journal.read() == ([], 0)


def ended(runs) -> str:
    """A run that has failed; its id."""
    record = runs.create(RunSpec())
    record.journal.append(Failed("no luck."))
    record.lock.release()
    return record.id


def test_a_run_is_renamed_and_keeps_its_id(runs):
    id = ended(runs)
    runs.record(id).rename("  My first\n run\u202e ")
    again = Runs(runs.folder)
    assert again.card(again.record(id)).title == "My first run"
    runs.record(id).rename("")
    assert again.card(again.record(id)).title == ""
    with pytest.raises(BadValue, match="at most 80"):
        runs.record(id).rename("x" * 81)


def test_a_deleted_run_lies_in_the_trash_and_comes_back(runs, tmp_path):
    id = ended(runs)
    other = Runs(runs.folder)
    assert other.record(id).id == id
    deleted = runs.delete(id, tmp_path / "trash")
    assert runs.records() == other.records() == []
    with pytest.raises(UnknownName, match="no run"):
        other.record(id)
    assert runs.restore(deleted, tmp_path / "trash") == id
    assert runs.card(runs.record(id)).state == "failed"
    for name in ("../runs", deleted, ""):
        with pytest.raises(UnknownName, match="no deleted run"):
            runs.restore(name, tmp_path / "trash")


def test_a_run_that_lives_is_not_deleted(runs, tmp_path):
    here = runs.create(RunSpec())
    with pytest.raises(NotAllowed, match="Stop or cancel it first"):
        runs.delete(here.id, tmp_path / "trash")
    with pytest.raises(NotAllowed, match="another window"):
        Runs(runs.folder).delete(here.id, tmp_path / "trash")
    here.lock.release()
