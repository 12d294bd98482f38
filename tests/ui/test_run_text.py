"""A run in words and figures."""

import pytest

from peft_demo.contracts import events as ev
from peft_demo.contracts.run_state import RunState
from peft_demo.ui import header
from peft_demo.ui.train import run_text

from .fake import finished, script


def test_a_failure_is_a_sentence():
    events = [ev.Failed("memory ran out", "halve the batch")]
    assert "Halve the batch" in run_text.headline(RunState.FAILED, events)


def test_a_stopped_run_has_no_test_accuracy():
    tiles = run_text.figures([finished(50, ev.Stopped)])
    assert "not measured" in tiles
    assert "stopped early" in tiles


def test_an_interrupted_run_has_no_time_left():
    events = script(100)[:50]
    assert "left" in run_text.figures(events)
    assert "left" not in run_text.figures([*events, ev.Interrupted()])


def test_a_backbone_that_changed_is_announced_everywhere():
    events = [finished(1, unchanged=False)]
    assert "CHANGED" in run_text.figures(events)
    assert "changed" in header.proof(events)


def test_the_log_tells_the_run_in_words():
    lines = run_text.log_lines(script(100))
    assert any("160 images to train" in line for line in lines)
    assert "finished" in lines[-1]


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_of_a_run_has_a_headline(state):
    if state is not RunState.IDLE:
        assert run_text.headline(state, []).startswith("## ")
