"""Photos that the camera took join the class that was chosen."""

import gradio as gr
import pytest

from peft_demo.ui.data import film

from .conftest import BROWSER
from .fake import picture


@pytest.fixture
def part():
    with gr.Blocks():
        return film.build(["hat", "shoe"])


def photos(tmp_path, *names: str) -> list[str]:
    for name in names:
        (tmp_path / name).write_bytes(picture(name))
    return [str(tmp_path / name) for name in names]


def test_they_join_those_that_are_there(service, part, tmp_path):
    add = film._add(part, service.data)
    names = ["hat", "shoe", ""]
    add(BROWSER, names, "hat", photos(tmp_path, "a.jpg"), 0)
    counter, *_ = add(BROWSER, names, "hat", photos(tmp_path, "b.jpg", "c.jpg"), 1)
    assert counter == 2
    assert service.data.drafts.classes(BROWSER) == {"hat": ("a.jpg", "b.jpg", "c.jpg")}


def test_after_a_class_with_enough_photos_comes_one_that_has_none(service, part, tmp_path):
    add = film._add(part, service.data)
    names = ["hat", "shoe", ""]
    _, stays, words, go = add(BROWSER, names, "hat", photos(tmp_path, *"abcd"), 0)
    assert stays == gr.skip() and "1 more help" in words and not go.visible
    _, chosen, words, go = add(BROWSER, names, "hat", photos(tmp_path, "e"), 1)
    assert chosen.value == "shoe" and "Now film **shoe**" in words and not go.visible
    _, stays, words, go = add(BROWSER, names, "shoe", photos(tmp_path, *"fghij"), 2)
    assert stays == gr.skip() and "Now film" not in words and go.visible


@pytest.mark.parametrize("label", [None, "", "nobody"])
def test_a_class_must_be_chosen(service, part, tmp_path, label):
    with pytest.raises(gr.Error, match="No class has been chosen"):
        film._add(part, service.data)(BROWSER, ["hat"], label, photos(tmp_path, "a.jpg"), 0)


def test_the_list_follows_the_cards():
    update = film._list(["hat", "shoe", ""], "shoe")
    assert update._constructor_args[0] == {"choices": ["hat", "shoe"]}, "the chosen one stays"
    assert film._list(["hat", ""], "shoe").value == "hat"
