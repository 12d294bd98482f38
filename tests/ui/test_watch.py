"""One look tells the page what has changed, and nothing else."""

import pytest

from peft_demo.contracts import events as ev
from peft_demo.contracts.run_state import RunState
from peft_demo.ui import header, watch
from peft_demo.ui.replay import Replay

from .fake import Fake, script


@pytest.fixture
def look(page, service):
    """`look(**settings)` is one look of one page; it remembers what the page has seen."""
    handler = watch._looker(service, page.train, Replay(service))
    seen = {}

    def once(run=None, compare=(), smooth=False, log=False, seen=seen):
        found = handler(dict(seen), run, list(compare), smooth, log)
        if page.train.watch.seen not in found:
            return {}
        seen.clear()
        seen.update(found[page.train.watch.seen])
        return found

    return once


def begin(page, service) -> str:
    return service.training.start(page.train.spec(page.given))


def test_an_idle_page_is_told_once_that_nothing_runs(page, look):
    assert page.train.watch.timer in look()
    assert look() == {}


def test_a_page_opened_before_start_notices_the_run(page, service, look):
    look()
    run = begin(page, service)
    found = look()
    assert found[page.train.watch.run].value == run
    assert ("info", "Shots were capped at 16.") in found[page.train.watch.said]
    assert page.train.watch.loss in look(run)  # the points once more, after the new axes
    look(run)  # the timer slows down again
    assert look(run) == {}


def test_a_reload_shows_the_finished_run_without_its_toasts(page, service, look):
    run = begin(page, service)
    found = look()
    assert found[page.train.watch.run].value == run and page.train.watch.said not in found
    assert (
        "94.2 %" in found[page.train.watch.progress]
        and "unchanged" in found[page.train.watch.progress]
    )
    assert "frozen ✓" in found[page.train.header.status]
    assert found[page.train.watch.loss].x_lim == [0.0, 100.0]


def test_while_it_runs_stop_is_open_and_start_is_not(page, tmp_path, service, look):
    service.training.pace = 1e6
    service.training.start(page.train.spec(page.given))
    found = look()
    assert not found[page.train.start].interactive and found[page.train.stop].interactive
    assert found[page.train.watch.timer].value == watch.BUSY


def test_an_older_run_stays_when_a_new_one_starts(page, service, look):
    first = begin(page, service)
    second = begin(page, service)
    look()
    look(first)
    begin(page, service)
    found = look(first)
    assert found[page.train.watch.run].value == first
    assert second in [id for _, id in found[page.train.watch.run].choices]


def test_runs_are_compared_in_one_plot_each_under_its_own_name(page, service, look):
    first = begin(page, service)
    second = begin(page, service)
    look()
    found = look(second, [first])
    assert found[page.train.watch.loss].colors_in_legend == ["A", "B"]
    assert (
        found[page.train.watch.key].value.count("lora") == 2 and found[page.train.watch.key].visible
    )
    assert not look(second)[page.train.watch.key].visible


def test_a_failure_is_a_sentence():
    card = Fake  # a run card is asked for its state only
    card.state = RunState.FAILED
    assert "Halve the batch" in watch.headline(
        card, [ev.Failed("memory ran out", "halve the batch")]
    )


def test_a_stopped_run_has_no_test_accuracy():
    stopped = ev.Stopped(50, 50, 0.9, None, 0, 5.0, 1.0, 1.0, 1, 1, 1, "f" * 64, True)
    assert "not measured" in watch.figures([stopped]) and "stopped early" in watch.figures(
        [stopped]
    )


def test_a_backbone_that_moved_is_cried_out():
    moved = ev.Finished(1, 1, 0.9, 0.9, 9, 5.0, 1.0, 1.0, 1, 1, 1, "f" * 64, False)
    assert "CHANGED" in watch.figures([moved]) and "changed" in header.proof([moved])


def test_the_log_tells_the_run_in_words():
    lines = watch.log_lines(script(100))
    assert any("160 images to train" in line for line in lines) and "finished" in lines[-1]


def test_replay_reads_every_event_once(service, page):
    run = begin(page, service)
    replay = Replay(service)
    asked = []
    service.training.follow, follow = (
        lambda r, c=0: asked.append(c) or follow(r, c),
        service.training.follow,
    )
    assert replay.events(run) == replay.events(run)
    assert asked == [0, len(replay.events(run))] or asked[0] == 0 < asked[1]
