"""What an adapter changed: a table whose cells show their place."""

from dataclasses import replace

import gradio as gr
import pytest

from peft_demo.contracts.changes import Changes
from peft_demo.contracts.errors import BadBackbone
from peft_demo.ui.adapters import change_grid, change_place, changed

from .fake import EVIL


@pytest.fixture
def result(service) -> Changes:
    return service.zoo.changes("lora-digits-0")


@pytest.fixture
def part(empty_page) -> changed.Changed:
    with empty_page.blocks:
        return changed.build()


def test_every_place_is_a_cell_that_says_what_it_is(result):
    table = change_grid.draw(result, change_grid.SIZE, 3)
    assert table.count("data-place=") == len(result.changes)
    assert 'aria-label="q in block 1: 40 % rank 1.9"' in table
    assert 'aria-label="norm1 in block 0: 25 % bias"' in table
    assert 'aria-label="mlp in block 1: – no weight"' in table
    assert table.count('aria-pressed="true"') == 1
    assert table.count("<table aria-label=") == 2 and change_grid.OUTSIDE in table
    heads = [table.index(f">{kind}</th>") for kind in ("norm1", "q", "mlp")]
    assert heads == sorted(heads)
    assert f"--share:{change_grid.DARKEST}%" in table


def test_the_table_shows_where_the_numbers_are(result):
    table = change_grid.draw(result, change_grid.TRAINED, 0)
    assert 'aria-label="mlp in block 1: 200"' in table
    assert 'aria-label="q in block 0: 128 100 %"' in table


def test_sizes_come_first_where_there_are_any(result):
    assert change_grid.first(result) == change_grid.SIZE
    assert change_grid.first(replace(result, changes=result.changes[4:])) == change_grid.TRAINED


@pytest.mark.parametrize("value", ["", "5", "-1", "a", None, "9" * 99, "²", "1,0", 1.5])
def test_a_browser_may_send_anything(result, value):
    assert change_grid.number(result, value) is None


def test_a_place_is_drawn_with_its_tables(result):
    html = change_place.draw(result.changes[3])
    assert "<h3>q in block 1</h3>" in html
    assert html.count('class="chart"') == html.count("As a table") == 3
    assert "Sizes of coefficients" in html and "<td>-0.6</td>" in html
    assert 'class="levels"' in html and "width:33%" in html
    assert "effective rank of 1.9, of at most 64" in html
    assert "up takes 2 values: -0.5 (25 %), 0.5 (75 %)." in html
    assert "<td>several</td>" in html and "<td>0.1</td>" in html


def test_a_place_without_a_weight_says_why(result):
    html = change_place.draw(result.changes[4])
    assert "not linear" in html and "<svg" not in html


def test_the_sentence_says_what_changed_most(result):
    words = changed.sentence(result)
    assert "1\u202f000 trained numbers in 5 places" in words and "128 of them are shared" in words
    assert "q in block 1 changed most: ‖ΔW‖ is 40 % of ‖W‖." in words and "not linear" in words
    assert changed.sentence(replace(result, changes=())) == changed.NOTHING


def test_it_is_compared_once_and_refusals_stand_in_its_place(part, service, monkeypatch):
    compare = changed.comparer(part, service.zoo)
    updates = compare("lora-digits-0", None)
    assert updates[part.figures].visible and updates[part.pressed] == 3
    assert compare("lora-digits-0", updates[part.compared]) == gr.skip()
    assert compare("", None) == gr.skip()
    assert compare("evil", updates[part.compared])[part.compared].id == "evil"

    def refuse(id: str) -> Changes:
        raise BadBackbone("the backbone is not on this machine.")

    monkeypatch.setattr(service.zoo, "changes", refuse)
    assert "not on this machine" in compare("evil", None)[part.sentence]


def test_an_adapter_of_the_head_alone_shows_no_table(part, result):
    updates = part.show("a", replace(result, changes=()))
    assert updates[part.sentence] == changed.NOTHING and not updates[part.figures].visible


def test_names_stay_text(result):
    odd = replace(result.changes[0], place=EVIL, kind=EVIL, why=EVIL)
    everything = replace(result, changes=(odd,))
    table = change_grid.draw(everything, change_grid.SIZE, 0)
    for drawn in (table, change_place.draw(odd), changed.sentence(everything)):
        assert "<img src=x" not in drawn
