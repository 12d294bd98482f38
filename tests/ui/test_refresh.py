"""One refresh tells the page what has changed, and nothing else."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from peft_demo.ui.train import resumer, starter
from peft_demo.ui.train.journals import Journals
from peft_demo.ui.train.refresh import BUSY_SECONDS

from .conftest import BROWSER, BuiltPage
from .fake import Fake

Refresh = Callable[..., dict]


@pytest.fixture
def refresh(page: BuiltPage) -> Refresh:
    """`refresh(**settings)` is one refresh of one page; it remembers what the page has seen."""
    view = page.train.view
    seen = [None]

    def once(run="", compare=(), smooth=False, log=False) -> dict:
        updates = page.train.refresh.handler(run, seen[0], "", list(compare), smooth, log)
        if view.seen not in updates:
            return {}
        seen[0] = updates[view.seen]
        return updates

    return once


def begin(page: BuiltPage, service: Fake) -> str:
    return service.training.start(page.train.form.spec(page.values))


def test_an_idle_page_is_told_once_that_nothing_runs(page, refresh):
    assert page.page.timer in refresh()
    assert refresh() == {}


def test_a_page_opened_before_start_notices_the_run(page, service, refresh):
    view = page.train.view
    refresh()
    run = begin(page, service)
    updates = refresh()
    assert updates[view.runs.shown].value == run
    assert ("info", "Shots were capped at 16.") in updates[view.notices]
    assert view.curves.loss in refresh()  # the points once more, after the new axes
    refresh()  # the timer slows down again
    assert refresh() == {}


def test_a_reload_shows_the_finished_run_without_its_toasts(page, service, refresh):
    view = page.train.view
    run = begin(page, service)
    updates = refresh()
    assert updates[view.runs.shown].value == run
    assert view.notices not in updates
    assert "94.2 %" in updates[view.figures]
    assert "unchanged" in updates[view.figures]
    assert "frozen ✓" in updates[page.train.refresh.header.status]
    assert updates[view.curves.loss].x_lim == [0.0, 100.0]


def test_while_it_runs_stop_is_open_and_start_is_not(page, service, refresh):
    service.training.pace = 1e6
    begin(page, service)
    updates = refresh()
    assert not updates[page.train.buttons.start].interactive
    assert updates[page.train.buttons.stop].interactive
    assert "0 % · PEFT Demo" in updates[page.train.refresh.header.bar]
    assert updates[page.page.timer].value == BUSY_SECONDS


def test_start_is_closed_until_the_form_has_been_read(page):
    seen, blocked = None, page.train.buttons.blocked.value
    updates = page.train.refresh.handler("", seen, blocked, [], False, False)
    assert not updates[page.train.buttons.start].interactive


def test_an_older_run_stays_when_a_new_one_starts(page, service, refresh):
    runs = page.train.view.runs
    first = begin(page, service)
    second = begin(page, service)
    refresh()
    refresh(first)
    begin(page, service)
    updates = refresh(first)
    assert updates[runs.shown].value == first
    assert second in [id for _, id in updates[runs.shown].choices]


def test_runs_are_compared_in_one_plot_each_under_its_own_name(page, service, refresh):
    curves = page.train.view.curves
    first = begin(page, service)
    begin(page, service)
    refresh()
    updates = refresh(compare=[first])
    assert updates[curves.loss].colors_in_legend == ["A", "B"]
    assert updates[curves.key].value.count("lora") == 2
    assert updates[curves.key].visible
    assert not refresh()[curves.key].visible


def test_a_started_run_is_followed_even_if_it_ends_at_once(page, service, refresh):
    """Start itself has changed headline, button and list, whatever a refresh beside it has noted as
    seen: none of them may stay as Start left it.
    """
    view = page.train.view
    begin(page, service)
    refresh()
    updates = starter(page.train, page.page.client, service.training)(page.values)
    shown = refresh(updates[view.runs.chosen])
    assert updates[view.headline] == "## Waiting for the machine"
    assert shown[view.headline] == "## Finished"
    assert shown[view.runs.shown].value == updates[view.runs.shown].value
    assert shown[page.train.buttons.start].interactive


def test_a_chosen_run_stays_unless_it_is_the_newest(page, service, refresh):
    older = begin(page, service)
    newest = begin(page, service)
    runs = page.train.view.runs
    settings = (None, "", [], False, False)
    choose = page.train.refresh.choose
    assert choose(older, *settings)[runs.chosen] == older
    assert choose(newest, *settings)[runs.chosen] == ""


def test_start_leaves_an_older_run_for_the_new_one(page, service, refresh):
    older = begin(page, service)
    begin(page, service)
    refresh(older)
    updates = starter(page.train, page.page.client, service.training)(page.values)
    assert updates[page.train.view.runs.chosen] == ""


def test_journals_are_read_once(service, page):
    run = begin(page, service)
    cursors = []
    follow = service.training.follow

    def counted(id, cursor=0):
        cursors.append(cursor)
        return follow(id, cursor)

    service.training.follow = counted
    journals = Journals(service.training)
    events = journals.events(run)
    assert journals.events(run) == events
    assert cursors == [0, len(events)]


def test_a_failed_run_stays_failed_for_all_pages(page, service, refresh):
    """A page's own memory is copied, not shared with the one that the server still holds."""
    begin(page, service)
    seen = refresh()[page.train.view.seen]
    kept = replace(seen, values=dict(seen.values))
    page.train.refresh.handler("run-0", seen, "", [], True, False)
    assert seen == kept


def test_an_interrupted_run_can_go_on(page, service, refresh):
    view = page.train.view
    run = begin(page, service)
    assert not refresh()[view.go_on].visible
    service.training.died.add(run)
    updates = refresh()
    assert updates[view.go_on].visible and updates[view.interrupted] == run
    resume = resumer(page.train, page.page.client, service.training)
    shown = resume({view.interrupted: run, page.page.client: BROWSER})
    assert shown[view.runs.shown].value == run and not shown[page.train.buttons.start].interactive
    assert not refresh()[view.go_on].visible
