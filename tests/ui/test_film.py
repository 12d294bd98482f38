"""Photos that the camera took join the class that was chosen."""

import gradio as gr
import pytest

from peft_demo.ui.data import film

from .conftest import BROWSER
from .fake import picture


def photos(tmp_path, *names: str) -> list[str]:
    for name in names:
        (tmp_path / name).write_bytes(picture(name))
    return [str(tmp_path / name) for name in names]


def test_they_join_those_that_are_there(service, tmp_path):
    add = film._add(service.data)
    names = ["hat", "shoe", ""]
    add(BROWSER, names, "hat", photos(tmp_path, "a.jpg"), 0)
    assert add(BROWSER, names, "hat", photos(tmp_path, "b.jpg", "c.jpg"), 1) == 2
    assert service.data.drafts.classes(BROWSER) == {"hat": ("a.jpg", "b.jpg", "c.jpg")}


@pytest.mark.parametrize("label", [None, "", "nobody"])
def test_a_class_must_be_chosen(service, tmp_path, label):
    with pytest.raises(gr.Error, match="No class has been chosen"):
        film._add(service.data)(BROWSER, ["hat"], label, photos(tmp_path, "a.jpg"), 0)


def test_the_list_follows_the_cards():
    update = film._list(["hat", "shoe", ""], "shoe")
    assert update._constructor_args[0] == {"choices": ["hat", "shoe"]}, "the chosen one stays"
    assert film._list(["hat", ""], "shoe").value == "hat"
