"""The list of runs, the line of those that wait, and their buttons."""

import re
from dataclasses import replace

import gradio as gr
import pytest

from peft_demo.contracts.cards import RunCard
from peft_demo.contracts.errors import UnknownName
from peft_demo.contracts.run_state import RunState
from peft_demo.contracts.specs import DataSpec, RunSpec
from peft_demo.ui.train import run_list, waiting
from peft_demo.ui.train.run_list import Wanted

from .conftest import BROWSER
from .fake import EVIL

METHODS = {"lora": "LoRA", "arc": "ARC"}
DONE = RunCard(
    "one",
    RunState.DONE,
    RunSpec(),
    "2026-11-20T10:00:00+00:00",
    "lora-digits-s0",
    0.8,
    40,
    0.91,
    100,
)
STOPPED = replace(
    DONE,
    id="two",
    state=RunState.STOPPED,
    spec=RunSpec("arc", data=DataSpec(name="textures")),
    adapter="arc-textures-s0",
    val_accuracy=0.9,
    test_accuracy=None,
    test_images=0,
)
FAILED = RunCard("three", RunState.FAILED, RunSpec(), "2026-11-20T10:00:00+00:00")
ALL = (FAILED, STOPPED, DONE)


def names(lines: str) -> list[str]:
    return re.findall("<b>(.*?)</b>", lines)


def test_a_line_counts_what_was_right_and_says_how_sure_that_is():
    line = run_list.draw([DONE], Wanted(), METHODS)
    assert "91 of 100 right" in line and "84 to 95 %" in line
    assert "LoRA · digits · 16 shots" in line and "20 Nov, " in line
    few = replace(DONE, test_accuracy=1.0, test_images=4)
    assert "4 of 4 right" in run_list.draw([few], Wanted(), METHODS)


def test_where_nothing_was_tested_the_line_says_what_came_of_it():
    assert "validation 36 of 40 right" in run_list.draw([STOPPED], Wanted(), METHODS)
    assert "failed" in run_list.draw([FAILED], Wanted(), METHODS)
    assert "stopped" in run_list.draw([STOPPED], Wanted(), METHODS)
    cancelled = replace(FAILED, state=RunState.STOPPED)
    assert "cancelled" in run_list.draw([cancelled], Wanted(), METHODS)
    assert run_list.draw([replace(cancelled, place=1)], Wanted(), METHODS) == ""


@pytest.mark.parametrize(
    ("words", "fitting"),
    [
        ("", 3),
        ("LORA digits", 2),
        ("textures", 1),
        ("failed", 1),
        ("arc digits", 0),
    ],
)
def test_runs_are_found_by_all_of_the_words(words, fitting):
    assert len(names(run_list.draw(ALL, Wanted(words), METHODS))) == fitting
    if not fitting:
        assert run_list.NOTHING_FITS in run_list.draw(ALL, Wanted(words), METHODS)


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("newest", ["three", "two", "one"]),
        ("val", ["two", "one", "three"]),
        ("test", ["one", "three", "two"]),
        ("name", ["two", "three", "one"]),
    ],
)
def test_the_list_is_sorted(sort, order):
    lines = run_list.draw(ALL, Wanted(sort=sort), METHODS)
    assert re.findall('data-act="show" data-id="(.*?)"', lines) == order


def test_the_shown_run_has_its_buttons_and_the_others_can_be_compared():
    lines = run_list.draw(ALL, Wanted(shown="one", compare=["two"], most=1), METHODS)
    assert re.findall('data-act="(rename|delete)" data-id="one"', lines) == ["rename", "delete"]
    assert 'data-id="two" aria-pressed="true"' in lines
    assert re.search('data-id="three" aria-pressed="false"[^>]* disabled', lines)


def test_titles_are_text():
    lines = run_list.draw([replace(DONE, title=EVIL, id='"><img')], Wanted(), METHODS)
    lines += waiting.draw([replace(DONE, title=EVIL, place=1)], METHODS)
    assert "<img" not in lines and "&lt;img" in lines


@pytest.mark.parametrize(
    ("place", "words"),
    [(1, "next"), (2, "2nd"), (3, "3rd"), (4, "4th"), (11, "11th"), (22, "22nd")],
)
def test_places_in_words(place, words):
    assert run_list.place_in_words(place) == f"{words} in line"


def press(id: str, act: str) -> gr.SelectData:
    return gr.SelectData(None, {"index": 0, "value": f"{act} {id}"})


@pytest.fixture
def three(page, service) -> list[str]:
    """A run in progress and two that wait."""
    service.training.pace = 1e6
    return [service.training.start(page.train.form.spec(page.values)) for _ in range(3)]


def test_the_line_is_drawn_moved_and_cancelled(page, service, three):
    change = page.train.actions.change_line()
    _, second, third = three
    drawn = waiting.draw(service.training.runs(), METHODS)
    assert re.findall('<li data-id="(.*?)"', drawn) == [second, third]
    assert "next in line" in drawn and "2nd in line" in drawn
    change(BROWSER, press(third, "up"))
    assert list(service.training.line) == [third, second]
    change(BROWSER, press(third, "cancel"))
    assert list(service.training.line) == [second]


def test_a_start_that_waits_leaves_the_page_as_it_is_and_says_so(page, service, three, monkeypatch):
    said = []
    monkeypatch.setattr(
        "peft_demo.ui.train.run_actions.toast", lambda level, words: said.append(words)
    )
    updates = page.train.actions.start()(page.values)
    assert updates == gr.skip()
    assert "3rd in line" in said[0]


@pytest.fixture
def two(page, service) -> list[str]:
    """Two runs that have ended."""
    return [service.training.start(page.train.form.spec(page.values)) for _ in range(2)]


def test_a_chosen_run_stays_unless_it_is_the_newest(page, two):
    change = page.train.actions.change_list()
    chosen = page.train.view.runs.chosen
    assert change([], press(two[0], "show"))[chosen] == two[0]
    assert change([], press(two[1], "show"))[chosen] == ""


def test_a_run_is_renamed_deleted_and_restored(page, service, two):
    actions = page.train.actions
    runs = page.train.view.runs
    asked = actions.change_list()([], press(two[0], "rename"))
    assert asked[runs.rename.row].visible and asked[runs.rename.run] == two[0]
    assert not actions.rename()(two[0], "My run")[runs.rename.row].visible
    deleted = actions.change_list()([], press(two[0], "delete"))
    assert "My run" in deleted[runs.undo.words] and deleted[runs.undo.row].visible
    assert [run.id for run in service.training.runs()] == [two[1]]
    restored = actions.undo()(deleted[runs.undo.deleted])
    assert restored[runs.chosen] == two[0] and not restored[runs.undo.row].visible
    assert two[0] in [run.id for run in service.training.runs()]


def test_runs_are_chosen_to_compare_with_and_let_go(page, two):
    compare = page.train.actions.change_list()
    chosen = page.train.view.runs.compare
    assert compare([], press(two[0], "compare"))[chosen] == [two[0]]
    assert compare([two[0]], press(two[0], "compare"))[chosen] == []


def test_a_browser_may_send_anything(page, two):
    with pytest.raises(gr.Error):
        page.train.actions.change_list()([], press("../x", "delete"))
    with pytest.raises(UnknownName):
        page.train.actions.training.run("../x")
