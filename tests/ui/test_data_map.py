"""The map of an adapter's pictures: a sentence, two panes and the table behind them."""

from dataclasses import replace

import gradio as gr
import pytest

from peft_demo.contracts.data_map import PCA, TEST, TRAINING, TSNE, DataMap
from peft_demo.ui.adapters import data_map, map_drawing

from .fake import EVIL

ID = "lora-digits-0"


@pytest.fixture
def drawn(service) -> DataMap:
    return service.answers.map(ID)


@pytest.fixture
def part(page) -> data_map.MapPart:
    with page.page.blocks:
        return data_map.build()


def test_the_sentence_says_how_far_it_can_be_trusted(drawn):
    words = data_map.sentence(drawn)
    assert words.startswith("**Nearest neighbours agree in class for 50 % of the pictures before, ")
    assert "6 of 9 pictures are drawn" in words and "Ringed: 1 mistake." in words
    assert "A plane keeps 50 % of the features' variance before, 75 % after." in words
    assert "are drawn" not in data_map.sentence(replace(drawn, out_of=6))


def test_t_sne_says_what_it_keeps(service):
    words = data_map.sentence(service.answers.map(ID, drawing=TSNE))
    assert data_map.NEIGHBOURS_KEPT in words and "variance" not in words


def test_every_picture_is_drawn_before_and_after_and_mistakes_are_ringed(drawn):
    html = map_drawing.draw(drawn)
    before, after = html.split("<figure>")[1:]
    assert before.count("data-n=") == after.count("data-n=") == 6
    assert "ringed" not in before and after.count('class="ringed" data-n="0"') == 1
    assert 'title="0, taken for 1"' in after and "--x:0.2;--y:0.5" in before
    assert html.count("data:image/jpeg") == 1 and "--columns:3;--rows:2" in html
    assert html.count("data-class=") == 2 and html.count('aria-pressed="false"') == 2
    assert 'aria-label="Frozen backbone: 6 pictures, 50 % of them' in html


@pytest.mark.parametrize("classes", [2, 10, 100])
def test_every_class_has_a_colour_of_its_own(classes):
    hues = {map_drawing.hue(n, classes) for n in range(classes)}
    assert len(hues) == classes and all(0 <= hue < 360 for hue in hues)


def test_the_table_has_the_figures(drawn):
    table = data_map.table(drawn)
    assert "<td>0</td><td>3</td><td>2</td><td>2</td>" in table
    assert "<td>All</td><td>6</td><td>3</td><td>5</td>" in table


def test_it_maps_what_is_chosen(page, part, service, monkeypatch):
    asked = []
    answer = service.answers.map

    def ask(id, data, images, drawing, report):
        asked.append((data and data.name, images, drawing))
        return answer(id)

    monkeypatch.setattr(service.answers, "map", ask)
    chosen = gr.State("")
    run = data_map.mapper(part, chosen, page.data.form, service.answers)
    values = {**page.values, chosen: ID, part.by: PCA}
    run({**values, part.on: TEST})
    run({**values, part.on: TRAINING, part.by: TSNE})
    assert run({**values, part.on: data_map.OPEN}).id == ID
    assert asked == [(None, TEST, PCA), (None, TRAINING, TSNE), ("digits", TEST, PCA)]
    with pytest.raises(gr.Error, match="No adapter is chosen"):
        run({**values, chosen: "", part.on: TEST})


def test_a_late_answer_about_another_adapter_is_not_shown(part, drawn):
    show = data_map.shower(part)
    late = data_map.Drawn(ID, drawn)
    assert show(ID, late)[part.results].visible
    assert show("evil", late) == gr.skip() == show(ID, None)
    assert not part.hide()[part.results].visible


def test_names_stay_text(service):
    drawn = service.answers.map("evil")
    assert drawn.classes[0] == EVIL
    for html in (map_drawing.draw(drawn), data_map.table(drawn)):
        assert "<img src=x" not in html and "&lt;img src=x" in html
