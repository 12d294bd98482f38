"""A run's state: the words are fixed, and every one is busy, over or idle."""

import json

import pytest

from peft_demo.contracts import events as ev
from peft_demo.contracts.history import saved_adapter
from peft_demo.contracts.run_state import ENDINGS, RunState, state_of

BEGUN = ev.Started(1, 1, 1, 1, 0.1, ("a", "b"), 1, 1, 1, "cpu", "00")
FIGURES = (1, 1, 0.5, 0.5, 4, 1.0, 1.0, 1.0, 1, 1, 1, "00", True)


def test_the_words_stay():
    assert json.loads(json.dumps(list(RunState))) == [
        "idle", "queued", "preparing", "running", "stopping", "done", "stopped", "failed",
        "interrupted",
    ]  # fmt: skip


@pytest.mark.parametrize("state", RunState)
def test_a_state_is_busy_or_over_or_idle(state):
    assert [state.is_busy, state.is_over, state is RunState.IDLE].count(True) == 1


def test_every_final_event_leaves_a_state_that_is_over():
    final = {event for event in ev.CLASSES.values() if event.final}
    assert final == ENDINGS.keys()
    assert all(state.is_over for state in ENDINGS.values())


@pytest.mark.parametrize(
    ("events", "state"),
    [
        ([], "preparing"),
        ([ev.Progressed("loading")], "preparing"),
        ([BEGUN], "running"),
        ([BEGUN, ev.Noticed("info", "a word")], "running"),
        ([BEGUN, ev.Finished(*FIGURES)], "done"),
        ([BEGUN, ev.Stopped(*FIGURES)], "stopped"),
        ([ev.Failed("it broke.")], "failed"),
        ([BEGUN, ev.Interrupted()], "interrupted"),
    ],
)
def test_the_state_follows_from_the_events(events, state):
    assert state_of(events) == state


def test_the_adapter_is_the_one_saved_last():
    first = ev.Saved(1, "first", 10)
    last = ev.Saved(2, "last", 10)
    assert saved_adapter([first, last, BEGUN]) == "last"
    assert saved_adapter([BEGUN]) == ""
