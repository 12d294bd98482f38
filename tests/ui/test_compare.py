"""The tab Compare: what its form describes, what it says before Start, and what it shows."""

from typing import Any, NamedTuple

import gradio as gr
import pytest

from peft_demo.ui import compare, data
from peft_demo.ui.compare import grid
from peft_demo.ui.compare.form import EVERY, SEED_METHODS, CompareForm, add_group
from peft_demo.ui.compare.grid import Place
from peft_demo.ui.compare.refresh import Refresh
from peft_demo.ui.titles import method_titles

from .fake.comparisons import ROWS, SPEC
from .fake.examples import EVIL


class Built(NamedTuple):
    form: CompareForm
    beginning: compare.Beginning
    values: dict[Any, Any]


@pytest.fixture
def built(service, empty_page) -> Built:
    with empty_page.blocks, gr.Tab("Compare") as tab:
        own = data.build(empty_page, tab, service.data, offline=True, allow_local_paths=False).form
        builder = compare.FormBuilder(service.training.methods(), service.data.datasets())
        form, beginning = compare._draw_form(builder, tab, own, service.zoo)
    values = {part: getattr(part, "value", None) for part in form.inputs}
    return Built(form, beginning, values)


@pytest.fixture
def prices(built, service):
    """`prices(changed)` are the updates for the form's values, some of them changed."""
    handler = compare.pricer(built.form, built.beginning, service.comparisons)
    return lambda changed=None: handler({**built.values, **(changed or {})})


def test_the_form_describes_a_grid_of_runs(built):
    form = built.form
    spec = form.spec({**built.values, form.shots: [16, 2], form.seeds: 2, form.workers: 2})
    assert spec.shots == (2, 16) and spec.seeds == (0, 1) and spec.workers == 2
    assert spec.runs == len(spec.methods) * 4
    assert spec.data[0].name == "digits"


def test_the_cost_is_said_before_start_and_what_is_wrong_closes_it(built, prices):
    form, beginning, _ = built
    updates = prices()
    assert "runs**" in updates[beginning.cost] and updates[beginning.start].interactive
    assert "known once some have run" in updates[beginning.cost]
    assert "about **" in prices({form.workers: 2})[beginning.cost]
    assert "compare --data digits" in updates[beginning.command]
    for changed, words in (
        ({form.methods: []}, "No method"),
        ({form.data: []}, "No dataset"),
        ({form.shots: []}, "No number of shots"),
        ({form.methods: ["lroa"]}, "lroa"),
    ):
        updates = prices(changed)
        assert words in updates[beginning.reason].value.replace("\\", "")
        assert not updates[beginning.start].interactive and not updates[beginning.cost]


def test_a_group_is_added_to_what_is_chosen(service):
    methods = service.training.methods()
    names = [card.name for card in methods]
    assert add_group(methods, EVERY, ["lora:rank=4"]) == ["lora:rank=4", *names]
    own = add_group(methods, "the project's own", ["lora"])
    assert own[0] == "lora" and set(own[1:]) == set(SEED_METHODS) & set(names)
    assert add_group(methods, None, ["lora"]) == ["lora"]


@pytest.fixture
def refresh(service):
    with gr.Blocks(analytics_enabled=False):
        view = compare.build_view(True)
    return Refresh(view, service.comparisons, method_titles(service.training))


def test_only_what_differs_is_sent(refresh, service):
    view = refresh.view
    first = refresh.handler("", 0, "trained", "", {})
    assert view.table not in first
    id = service.comparisons.start(SPEC)
    updates = refresh.handler("", 0, "trained", "", first[view.seen])
    assert updates[view.chosen].value == id and updates[view.stop].visible
    assert updates[view.timer].active and updates[view.shots].visible
    assert "5 of 36 runs" in updates[view.progress] and "1 failed" in updates[view.progress]
    assert updates[view.scatter].count("<circle") == 4 and EVIL not in updates[view.progress]
    again = refresh.handler(id, 2, "trained", "", updates[view.seen])
    assert again == gr.skip()
    pressed = refresh.handler(id, 2, "trained", "lora|digits", updates[view.seen])
    assert set(pressed) == {view.table, view.cell, view.seen}
    assert pressed[view.cell].count("<svg") == 3
    service.comparisons.stop(id)
    stopped = refresh.handler(id, 2, "trained", "", updates[view.seen])
    assert stopped[view.go_on].visible and not stopped[view.timer].active


def test_the_table_has_a_row_for_each_method_and_marks_what_cannot_be_told_apart(service):
    titles = method_titles(service.training)
    service.comparisons.start(SPEC)
    table = service.comparisons.table("comparison-0")
    html = grid.draw(SPEC, table, titles, Place("lora", "digits"))
    assert html.count("<tr>") == 1 + len(SPEC.methods) and EVIL not in html
    assert '<td class="best">' in html and '<td class="tied">' in html
    assert "90.0" in html and html.count("≈") == 2 and "± 1.2" in html and html.count("…") == 4
    assert html.count('aria-pressed="true"') == 1 and "1 run failed" in html


def test_words_in_a_table_for_spreadsheets_stay_words(service):
    service.comparisons.start(SPEC)
    text = grid.as_csv(service.comparisons.runs("comparison-0"))
    assert "'=1+1" in text and text.splitlines()[0].startswith("method,data,shots,seed")


def test_a_word_with_knobs_is_written_for_people():
    assert grid.title_of("lora:rank=4:bias=true", {"lora": "LoRA"}) == "LoRA rank=4 bias=true"
    assert grid.doubt(ROWS[0].cells["digits"]) == "± 1.2"
