"""Only what has been shown is pushed, in the name of who pushes; and what comes from the Hub is
named as text.
"""

from types import SimpleNamespace

import gradio as gr
import pytest

from peft_demo.contracts.cards import UploadPreview
from peft_demo.contracts.errors import HubTrouble
from peft_demo.contracts.specs import PushSpec
from peft_demo.ui.adapters import get, share

from .fake import EVIL


@pytest.fixture
def preview(service, tab):
    """The handler that shows what becomes public."""
    return share.previewer(tab.share.preview, service.zoo, service.hub)


@pytest.fixture
def push(service):
    return share.pusher(service.hub)


@pytest.fixture
def take(service, tab, empty_page):
    return get.taker(tab.add.get, empty_page.zoo_changed, service.hub)


def visitor(token: str) -> SimpleNamespace:
    return SimpleNamespace(token=token)


def silent(*_, **__) -> None:
    """Stands in for gr.Progress."""


def test_a_preview_shows_files_card_and_class_names_and_sends_nothing(service, tab, preview):
    updates = preview("lora-digits-0", " me/x ", "MIT", False, True, False, False)
    shown = tab.share.preview
    assert updates[shown.agreed] == (PushSpec(("lora-digits-0",), "me/x", True, "mit"), "5eed")
    assert "README\\.md, 900 B" in updates[shown.disclosures]
    assert "names of the classes" in updates[shown.disclosures]
    assert updates[shown.card] == "# card"
    assert service.hub.pushed == []


def test_a_bad_name_is_a_sentence(preview):
    with pytest.raises(gr.Error, match="OWNER/NAME"):
        preview("lora-digits-0", "x", "", False, False, False, False)


def test_a_late_word_of_the_form_takes_only_another_preview_away(service, tab, preview):
    """The page may tell of the last letter when the preview made of it is already there."""
    shown = tab.share.preview
    form = ("lora-digits-0", "me/x", "mit", False, False, False, False)
    clear = share.clearer(shown, service.zoo)
    agreed = preview(*form)[shown.agreed]
    assert clear(agreed, *form) == gr.skip() == clear(None, *form)
    for other in ("me/other", "nonsense"):
        taken_away = clear(agreed, form[0], other, *form[2:])
        assert taken_away[shown.agreed] is None and not taken_away[shown.column].visible


def test_a_late_letter_leaves_the_look_up_of_its_own_name(tab):
    part = tab.add.get
    clear = get._clear(part)
    assert clear("you/x", part.wait("you/x")[part.asked]) == gr.skip()
    assert not clear("you/y", "you/x")[part.names].visible


def test_all_of_ones_own_can_go_together(service, tab, preview):
    """Without those that came with the project, and those that nobody can read."""
    own = [entry.id for entry in service.zoo.entries() if entry.card and not entry.shipped]
    updates = preview(own[0], "me/x", "", True, False, False, False)
    spec, _ = updates[tab.share.preview.agreed]
    assert spec.adapters == tuple(own)
    assert 1 < len(own) < len(service.zoo.entries())


def test_a_space_is_of_one_adapter(tab, preview):
    updates = preview("lora-digits-0", "me/x", "", False, False, False, True)
    assert updates[tab.share.preview.agreed][0].space
    with pytest.raises(gr.Error, match="one adapter"):
        preview("lora-digits-0", "me/x", "", True, False, False, True)


def test_what_was_shown_is_pushed_with_the_visitors_token(service, push):
    service.hub.offline = False
    spec = PushSpec(("lora-digits-0",), "me/x")
    assert "https://hub.example/me/x" in push((spec, "5eed"), visitor("hf_theirs"), silent)
    push((spec, "5eed"), None, silent)
    assert push(None, None, silent) == ""
    assert service.hub.pushed == [(spec, "hf_theirs", "5eed"), (spec, "", "5eed")]


def test_offline_it_says_so(push):
    with pytest.raises(gr.Error, match="switched off"):
        push((PushSpec(("a",), "me/x"), ""), None, silent)


def test_words_search_and_a_repository_is_looked_into(service, tab, told):
    part = tab.add.get
    look = get.looker(part, service.hub)
    listed = look("", None, silent)[part.found]
    assert listed.visible and [repo for _, repo in listed.choices] == ["you/shades", "you/else"]
    first, second = (words for words, _ in listed.choices)
    assert service.zoo.backbones()[0].name in first and "12 downloads" in first
    assert "backbone not here" in second
    assert look("fox", None, silent)[part.state].value == get.NOT_FOUND
    assert [id for _, id in look("you/shades", None, silent)[part.names].choices] == ["theirs"]
    assert part.choose("you/shades")[part.asked] == "you/shades"
    assert part.found not in part.choose("you/shades"), "what was found stays to look on"
    assert not part.begin("other")[part.found].visible


def test_class_names_with_markup_stay_text():
    words = share.describe(UploadPreview("me/x", ((EVIL, 1),), EVIL, (EVIL,)))
    assert "<img" not in words and "![" not in words


def test_only_what_can_be_taken_is_offered(service, tab):
    part = tab.add.get
    with pytest.warns(UserWarning, match=r"1 file cannot be taken. bad: ill-formed."):
        updates = get.looker(part, service.hub)("you/x", None, silent)
    names = updates[part.names]
    assert [id for _, id in names.choices] == ["theirs"] == names.value
    assert updates[part.take].visible and not updates[part.cancel].visible


def test_a_look_up_shows_from_its_first_moment_that_it_goes_on(service, tab):
    """And what the Hub is asked for, before its first answer."""
    part = tab.add.get
    waiting = part.wait("you/x")
    assert waiting[part.state].visible and waiting[part.cancel].visible
    told = []

    def progress(fraction, desc):
        told.append(desc)

    with pytest.warns(UserWarning):
        get.looker(part, service.hub)("you/x", None, progress)
    assert told == ["asking the Hub for you/x"]


def test_what_the_hub_refuses_ends_the_waiting_in_a_sentence(service, tab, monkeypatch):
    def refuse(*_, **__):
        raise HubTrouble("there is no repository <b>you/x</b>.")

    monkeypatch.setattr(service.hub, "adapters", refuse)
    part = tab.add.get
    updates = get.looker(part, service.hub)("you/x", None, silent)
    assert "There is no repository" in updates[part.state].value
    assert "<b>" not in updates[part.state].value and not updates[part.cancel].visible


def test_what_was_taken_is_named(tab, empty_page, take):
    updates = take("you/x", ["theirs"], 4, None, silent)
    assert updates[tab.add.get.state].value == "Added as theirs."
    assert updates[empty_page.zoo_changed] == 5


def test_ticking_nothing_takes_nothing(take):
    """To the service, none named means all."""
    with pytest.raises(gr.Error, match="ticked"):
        take("you/x", [], 4, None, silent)


def test_gradio_gives_the_handlers_a_token(push):
    """By the annotation, which `speaking` must not hide; without a login it is None."""
    from gradio.helpers import special_args

    inputs, *_ = special_args(push, ["agreed"], request=None)
    assert inputs[:2] == ["agreed", None]
