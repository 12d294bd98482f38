import subprocess
import sys

import pytest

from peft_demo.contracts.errors import UnknownName
from peft_demo.contracts.events import Interrupted, Saved, Stepped
from peft_demo.contracts.specs import RunSpec
from peft_demo.studio.runs import Runs

HOLD = """
import sys
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
