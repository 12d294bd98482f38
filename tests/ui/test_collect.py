"""Class cards show a draft that lives on the server."""

import gradio as gr
import pytest

from peft_demo.ui import session
from peft_demo.ui.data import collect
from peft_demo.ui.toasts import speaking

from .conftest import BROWSER
from .fake import picture


@pytest.fixture
def data(service):
    return service.data


@pytest.fixture
def photo(tmp_path) -> str:
    file = tmp_path / "photo.png"
    file.write_bytes(picture("cup"))
    return str(file)


def names(*used: str) -> list[str]:
    return [*used] + [""] * (collect.MOST - len(used))


def test_images_are_kept_and_come_back_after_a_reload(data, photo):
    collect._put(data, 0)(BROWSER, names("cup", "plate"), [(photo, "")])
    client, found, content, _, name, images, *_ = collect._load(data)(
        BROWSER, names(*collect.FIRST)
    )
    assert client == BROWSER
    assert found[0] == name == "cup"
    assert len(images) == 1
    assert content == (("cup", 1),)


def test_without_a_draft_the_cards_stay_as_they_were_built(data):
    client, *rest = collect._load(data)(BROWSER, names(*collect.FIRST))
    assert client == BROWSER and all(update == gr.skip() for update in rest)


@pytest.mark.parametrize(
    ("cards", "classes", "after"),
    [
        (collect.FIRST, ("rose", "lily"), ("rose", "lily")),
        (collect.FIRST, ("class 2",), collect.FIRST),
        (("hat", "shoe"), ("hat",), ("hat", "shoe")),
        (("hat", "shoe"), ("shoe",), ("hat", "shoe")),
        (("hat", "class 2"), ("hat",), ("hat", "class 2")),
        (("hat", "class 2"), ("hat", "cup"), ("hat", "cup")),
        (("hat", "shoe"), ("shoe", "hat", "cup"), ("hat", "shoe", "cup")),
    ],
)
def test_a_class_keeps_its_card_with_or_without_photos(cards, classes, after):
    assert collect.placed(names(*cards), classes) == names(*after)


def test_filming_one_class_leaves_the_name_of_another(data, photo):
    collect._put(data, 1)(BROWSER, names("hat", "shoe"), [(photo, "")])
    _, found, _, *shown = collect._load(data)(BROWSER, names("hat", "shoe"))
    assert found == names("hat", "shoe")
    assert shown[1] == "hat" and shown[2] is None and shown[4] == "shoe" and len(shown[5]) == 1


def test_an_empty_card_is_not_a_class(data):
    collect._put(data, 1)(BROWSER, names("cup", "plate"), [])
    assert data.drafts.classes(BROWSER) == {}


def test_a_class_is_renamed_with_its_images(data, photo):
    collect._put(data, 0)(BROWSER, names("cup"), [(photo, "")])
    found, name, _ = collect._rename(data, 0)(BROWSER, names("cup"), "  mug ")
    assert found[0] == name == "mug"
    assert list(data.drafts.classes(BROWSER)) == ["mug"]


@pytest.mark.parametrize("new", ["", "   ", "plate"])
def test_empty_and_taken_names_are_not_given(data, new):
    with pytest.warns() if new == "plate" else pytest.MonkeyPatch.context():
        _, name, _ = collect._rename(data, 0)(BROWSER, names("cup", "plate"), new)
    assert name == "cup"


def test_a_removed_class_is_gone(data, photo):
    collect._put(data, 0)(BROWSER, names("cup"), [(photo, "")])
    found, *_ = collect._remove(data, 0)(BROWSER, names("cup"))
    assert found[0] == "" and data.drafts.classes(BROWSER) == {}


def test_classes_are_added_until_the_pool_is_full():
    used = names("class 1", "class 2")
    while "" in used:
        used = collect._add(used)[0]
    assert len(set(used)) == collect.MOST
    with pytest.raises(gr.Error, match="at most 12"):
        speaking(collect._add)(used)


@pytest.mark.parametrize("odd", ["", None, "../../etc", "A" * 32, {"id": 1}])
def test_an_id_that_is_not_ours_is_replaced(odd):
    """The browser can write anything where its id is kept."""
    fresh = session.valid_id(odd)
    assert fresh != odd and session.valid_id(fresh) == fresh
