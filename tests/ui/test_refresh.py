"""One refresh tells the page what has changed, and nothing else."""

import re
from collections.abc import Callable
from dataclasses import replace

import pytest

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

    def once(
        run="", compare=(), words="", sort="newest", axis="step", log=False, opened=()
    ) -> dict:
        settings = "", list(compare), words, sort, axis, log, opened
        updates = page.train.refresh.handler(run, seen[0], *settings)
        if view.seen not in updates:
            return {}
        seen[0] = updates[view.seen]
        return updates

    return once


def shown(updates: dict, page: BuiltPage) -> str:
    """The run whose line in the list is marked as the one shown."""
    lines = updates[page.train.view.runs.lines]
    return re.search(r'data-id="([^"]*)" aria-current="true"', lines)[1]


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
    assert shown(updates, page) == run
    assert ("info", "Shots were capped at 16.") in updates[view.notices]
    assert "<polyline" in updates[view.curves.loss]
    assert refresh() == {}


def test_a_reload_shows_the_finished_run_without_its_toasts(page, service, refresh):
    view = page.train.view
    run = begin(page, service)
    updates = refresh()
    assert shown(updates, page) == run
    assert view.notices not in updates
    assert "94.2 %" in updates[view.facts]
    assert "unchanged" in updates[view.facts]
    assert "339 of 360 right" in updates[view.headline]
    assert updates[view.headline].startswith("Earlier run: **")  # nobody started it on this page
    pictures = updates[view.held_out].value
    assert "mistakes first" in pictures
    assert pictures.index("said 1") < pictures.index("right, 90")
    assert "backbone unchanged ✓" in updates[page.train.refresh.header.status]


@pytest.mark.parametrize("queues", [True, False])
def test_while_it_runs_stop_is_open_and_start_only_where_runs_may_wait(
    page, service, refresh, queues
):
    service.training.pace = 1e6
    service.training.queues = queues
    begin(page, service)
    updates = refresh()
    assert updates[page.train.buttons.start].interactive == queues
    assert updates[page.train.buttons.stop].interactive
    assert "0 % · PEFT Demo" in updates[page.train.refresh.header.bar]
    assert updates[page.page.timer].value == BUSY_SECONDS


def test_start_is_closed_until_the_form_has_been_read(page):
    seen, blocked = None, page.train.buttons.blocked.value
    updates = page.train.refresh.handler("", seen, blocked, [], "", "newest", "step", False, ())
    assert not updates[page.train.buttons.start].interactive


def test_what_a_refresh_shows_is_written_by_nothing_else(page):
    """It notes what the page shows, and would not write again what another handler had undone."""
    refresh = page.train.refresh
    own = {refresh.handler, refresh.opened}
    others = [made for made in page.page.blocks.fns.values() if made.fn not in own]
    written = {part for made in others for part in made.outputs}
    shown_or_hidden = page.train.view.sketch  # what it draws follows the form
    assert {part for part in refresh.outputs if part in written} == {shown_or_hidden}


def test_an_older_run_stays_when_a_new_one_starts(page, service, refresh):
    runs = page.train.view.runs
    first = begin(page, service)
    second = begin(page, service)
    refresh()
    refresh(first)
    begin(page, service)
    updates = refresh(first)
    assert shown(updates, page) == first
    assert f'data-id="{second}"' in updates[runs.lines]


def test_what_is_folded_away_is_drawn_once_it_is_opened(page, service, refresh):
    view = page.train.view
    begin(page, service)
    updates = refresh()
    assert not {view.log, view.curves.rate, view.curves.table} & set(updates)
    assert "<polyline" in refresh(opened=["rates"])[view.curves.rate]
    updates = refresh(opened=["rates", "table", "log"])
    assert "<table" in updates[view.curves.table] and updates[view.log]
    assert refresh(opened=["table", "log"]) == refresh(opened=["table", "log"]) == {}


def test_runs_are_compared_in_one_plot_each_under_its_own_name(page, service, refresh):
    curves = page.train.view.curves
    first = begin(page, service)
    begin(page, service)
    service.training.rename_run(first, "The first")
    refresh()
    updates = refresh(compare=[first])
    assert re.findall('class="name">(.*?)<', updates[curves.loss]) == ["lora-digits-0", "The first"]
    assert "The first" not in refresh()[curves.loss]


def test_a_run_that_was_deleted_elsewhere_is_let_go(page, service, refresh):
    first = begin(page, service)
    second = begin(page, service)
    refresh(first)
    service.training.delete_run(first)
    assert shown(refresh(first, compare=[first]), page) == second
    service.training.delete_run(second)
    updates = refresh(first)
    assert "No run yet" in updates[page.train.view.headline]
    assert not updates[page.train.view.stage].visible


def test_a_started_run_is_followed_even_if_it_ends_at_once(page, service, refresh):
    view = page.train.view
    begin(page, service)
    refresh()
    after = refresh(page.train.actions.start()(page.values))
    assert "339 of 360 right" in after[view.headline]
    assert "Earlier run" not in after[view.headline]
    assert shown(after, page) == "run-1"


def test_start_leaves_an_older_run_for_the_new_one(page, service, refresh):
    older = begin(page, service)
    begin(page, service)
    refresh(older)
    assert page.train.actions.start()(page.values) == ""


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
    page.train.refresh.handler("run-0", seen, "", [], "", "newest", "seconds", False, ())
    assert seen == kept


def test_an_interrupted_run_can_go_on(page, service, refresh):
    view = page.train.view
    run = begin(page, service)
    assert not refresh()[view.go_on].visible
    service.training.died.add(run)
    updates = refresh()
    assert updates[view.go_on].visible and updates[view.interrupted] == run
    resumed = page.train.actions.resume()({view.interrupted: run, page.page.client: BROWSER})
    assert resumed == ""
    assert not refresh()[view.go_on].visible
