"""Class cards show a draft that lives on the server."""

import gradio as gr
import pytest

from peft_demo.ui import collect, session

from .fake import picture

ME = "a" * 32


@pytest.fixture
def photo(tmp_path):
    file = tmp_path / "photo.png"
    file.write_bytes(picture("cup"))
    return str(file)


def names(*used):
    return [*used] + [""] * (collect.MOST - len(used))


def test_images_are_kept_and_come_back_after_a_reload(service, photo):
    collect._put(service, 0)(ME, names("cup", "plate"), [(photo, None)])
    client, found, held, _, name, images, *_ = collect._load(service)(ME)
    assert client == ME and found[0] == name == "cup" and len(images) == 1 and held == (("cup", 1),)


def test_without_a_draft_the_cards_stay_as_they_were_built(service):
    client, *rest = collect._load(service)(ME)
    assert client == ME and all(update == gr.skip() for update in rest)


def test_an_empty_card_is_not_a_class(service):
    collect._put(service, 1)(ME, names("cup", "plate"), [])
    assert service.data.drafts.classes(ME) == {}


def test_a_class_is_renamed_with_its_images(service, photo):
    collect._put(service, 0)(ME, names("cup"), [(photo, None)])
    found, name, _ = collect._rename(service, 0)(ME, names("cup"), "  mug ")
    assert found[0] == name == "mug" and list(service.data.drafts.classes(ME)) == ["mug"]


@pytest.mark.parametrize("new", ["", "   ", "plate"])
def test_empty_and_taken_names_are_not_given(service, new):
    with pytest.warns() if new == "plate" else pytest.MonkeyPatch.context():
        _, name, _ = collect._rename(service, 0)(ME, names("cup", "plate"), new)
    assert name == "cup"


def test_a_dropped_class_is_gone(service, photo):
    collect._put(service, 0)(ME, names("cup"), [(photo, None)])
    found, *_ = collect._drop(service, 0)(ME, names("cup"))
    assert found[0] == "" and service.data.drafts.classes(ME) == {}


def test_classes_are_added_until_the_pool_is_full():
    used = names("class 1", "class 2")
    while "" in used:
        used = collect._add(used)[0]
    assert len(set(used)) == collect.MOST
    with pytest.raises(gr.Error, match="at most 12"):
        collect.speaking(collect._add)(used)


@pytest.mark.parametrize("odd", ["", None, "../../etc", "A" * 32, {"id": 1}])
def test_an_id_that_is_not_ours_is_replaced(odd):
    """The browser can write anything where its id is kept."""
    fresh = session.known(odd)
    assert fresh != odd and session.known(fresh) == fresh
