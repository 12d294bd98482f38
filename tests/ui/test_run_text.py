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
    tiles = run_text.facts([finished(50, ev.Stopped)])
    assert "not measured" in tiles
    assert "stopped early" in tiles


def test_the_end_is_a_sentence_that_says_how_sure_it_is():
    headline = run_text.headline(RunState.DONE, script(100))
    assert headline.startswith("## 339 of 360 right, in 151 kB\n")
    assert "Expect 91 to 96 % on other pictures like these." in headline
    assert run_text.figures(script(100)) == ""
    assert "339 of 360 right" in run_text.facts(script(100))


def test_every_accuracy_of_a_run_says_how_sure_it_is():
    tile = run_text.figures(script(100)[:30])
    assert "Best validation</span><b>67.7 %</b><small>60 to 74 %</small>" in tile
    assert "Best validation</span><b>–</b></div>" in run_text.figures(script(100)[:8])
    assert "90 to 97 %; kept, at step 100" in run_text.facts(script(100))
    assert "accuracy 67.7 % (60 to 74)" in " ".join(run_text.log_lines(script(100)))


def test_a_stopped_run_counts_validation_images():
    events = [*script(100)[:30], finished(20, ev.Stopped)]
    headline = run_text.headline(RunState.STOPPED, events)
    assert headline.startswith("## 152 of 160 validation images right, in 151 kB\nStopped after")
    assert headline.endswith("expect less on other pictures.")
    first = [event for event in events if not isinstance(event, ev.Evaluated) or event.step == 10]
    once = run_text.headline(RunState.STOPPED, first)
    assert "validation images right" in once and "choosing" not in once
    nothing = run_text.headline(RunState.STOPPED, [finished(0, ev.Stopped)])
    assert nothing == "## Stopped before there was anything to keep"


def test_an_interrupted_run_has_no_time_left():
    events = script(100)[:50]
    assert "left" in run_text.figures(events)
    assert "left" not in run_text.figures([*events, ev.Interrupted()])


def test_a_backbone_that_changed_is_announced_everywhere():
    events = [finished(1, unchanged=False)]
    assert "CHANGED" in run_text.facts(events)
    assert "changed" in header.proof(events)


def test_the_log_tells_the_run_in_words():
    lines = run_text.log_lines(script(100))
    assert any("160 images to train" in line for line in lines)
    assert "finished" in lines[-1]


@pytest.mark.parametrize("state", list(RunState))
def test_every_state_of_a_run_has_a_headline(state):
    if state is not RunState.IDLE:
        assert run_text.headline(state, []).startswith("## ")


def test_what_a_search_has_tried_is_a_table_whose_words_are_text():
    tried = [
        ev.Tried(1, 3, "lr 0.001", 0.5, 1.0, 40, True),
        ev.Tried(2, 3, "lr <b>", None, None, 0, False, "the loss is not finite."),
        ev.Tried(3, 3, "lr 0.003", 0.75, 0.9, 40, True),
    ]
    shown = run_text.figures([*script(100)[:10], *tried])
    rows = shown.split("<tr>")[2:]
    assert len(rows) == 3 and "75.0 %" in rows[2] and "best" in rows[2]
    assert "best" not in rows[0] and "not finite" in rows[1] and "&lt;b&gt;" in rows[1]
    assert "<table>" not in run_text.figures(script(100))
    lines = run_text.log_lines(tried)
    assert "trial 3 of 3: lr 0.003: accuracy 75.0 % (60 to 86)  best so far" in lines
