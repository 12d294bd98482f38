import builtins
import errno

import pytest

from peft_demo.contracts.errors import CannotWrite
from peft_demo.contracts.events import Evaluated, Failed, Noticed, Stepped
from peft_demo.studio.journal import POINTS, Journal


def step(n: int) -> Stepped:
    return Stepped(n, 1.0 / n, 1e-3, 100.0, 1.0, 10.0)


@pytest.fixture
def journal(tmp_path) -> Journal:
    return Journal(tmp_path)


def test_a_cursor_sees_every_event_once(journal):
    assert journal.read(0) == ([], 0)
    journal.append(step(1))
    first, cursor = journal.read(0)
    journal.append(step(2))
    second, cursor = journal.read(cursor)
    assert [*first, *second] == [step(1), step(2)]
    assert journal.read(cursor) == ([], cursor)
    assert journal.read(0)[0] == [step(1), step(2)]


def test_a_torn_last_line_is_skipped_and_the_next_one_is_whole(journal):
    journal.append(step(1))
    with open(journal.path, "ab") as file:
        file.write(b'{"event": "Stepped", "st')
    events, cursor = journal.read(0)
    assert events == [step(1)]
    journal.append(step(2))
    assert journal.read(cursor)[0] == [step(2)]
    assert journal.read(0)[0] == [step(1), step(2)]


@pytest.mark.parametrize(
    "line",
    [b"not json", b'"text"', b"[1]", b'{"event": "Improved"}', b'{"event": "Nope"}', b"\xff"],
)
def test_lines_that_are_no_events_are_skipped(journal, line):
    journal.append(step(1))
    with open(journal.path, "ab") as file:
        file.write(line + b"\n")
    journal.append(step(2))
    assert journal.read(0)[0] == [step(1), step(2)]


def test_a_long_run_is_thinned_but_keeps_its_last_step_and_everything_else(journal):
    scored = Evaluated(1200, 0.5, 0.9, 10, True)
    for event in [*map(step, range(1, 1201)), scored, step(1201)]:
        journal.append(event)
    events, _ = journal.read(0)
    steps = [e for e in events if isinstance(e, Stepped)]
    assert len(steps) <= POINTS + 1
    assert steps[0] == step(1) and steps[-1] == step(1201)
    assert scored in events


def test_a_journal_has_ended_when_its_last_event_is_final(journal):
    assert not journal.ended()
    journal.append(step(1))
    assert not journal.ended()
    journal.append(Failed("no.", "Try again."))
    assert journal.ended()


def test_on_a_full_disk_the_end_is_kept_in_memory(journal, monkeypatch):
    journal.append(step(1))
    _, cursor = journal.read(0)
    real = builtins.open

    def full(path, mode="r", *args, **more):
        if "a" in mode:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, mode, *args, **more)

    monkeypatch.setattr(builtins, "open", full)
    with pytest.raises(CannotWrite, match="full"):
        journal.append(Noticed("info", "lost"))
    journal.end(Failed("the disk is full.", ""))
    events, cursor = journal.read(cursor)
    assert events == [Failed("the disk is full.", "")]
    assert journal.read(cursor)[0] == []
    assert journal.ended()


@pytest.mark.parametrize(
    "line",
    [
        b'{"event": "Stepped", "step": "1"}',
        b'{"event": ["Stepped"]}',
        b'{"event": "Evaluated", "step": 1, "loss": null, "accuracy": 0, "images": 4,'
        b' "best": true}',
        b'{"event": "Saved", "step": 1, "adapter": 3, "file_bytes": 10}',
        b'{"event": "Saved", "step": 1' + b"0" * 400 + b', "adapter": "a", "file_bytes": 10}',
        b"[" * 100_000,
    ],
)
def test_values_of_another_type_are_skipped(journal, line):
    """A page draws what it reads; a damaged line is not drawn."""
    journal.append(step(1))
    with open(journal.path, "ab") as file:
        file.write(line + b"\n")
    assert journal.read(0)[0] == [step(1)]
    assert not journal.ended()
