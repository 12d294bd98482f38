"""Only what has been shown is pushed, in the name of who pushes; and what comes from the Hub is named as text."""

from types import SimpleNamespace

import gradio as gr
import pytest

from peft_demo.contracts.cards import UploadPreview
from peft_demo.contracts.specs import PushSpec
from peft_demo.ui import adapters, share

from .fake import EVIL


@pytest.fixture
def tab(service):
    with gr.Blocks(analytics_enabled=False), gr.Tab("Adapters") as opened:
        return adapters.build(opened, service)


def visitor(token: str):
    return SimpleNamespace(token=token)


def silent(*_, **__):
    """Stands in for gr.Progress."""


def test_a_preview_shows_files_card_and_class_names_and_sends_nothing(service, tab):
    updates = share._previewer(service, tab.share)(
        "lora-digits-0", " me/x ", "MIT", False, True, False
    )
    assert updates[tab.share.agreed] == (PushSpec(("lora-digits-0",), "me/x", True, "mit"), "5eed")
    assert (
        "README\\.md, 900 B" in updates[tab.share.disclosures]
        and "names of the classes" in updates[tab.share.disclosures]
    )
    assert updates[tab.share.card] == "# card" and service.hub.pushed == []


def test_a_bad_name_is_a_sentence(service, tab):
    with pytest.raises(gr.Error, match="OWNER/NAME"):
        share._previewer(service, tab.share)("lora-digits-0", "x", "", False, False, False)


def test_all_of_ones_own_can_go_together(service, tab):
    """Without those that came with the project, and those that nobody can read."""
    own = [e.id for e in service.zoo.entries() if e.card and not e.shipped]
    updates = share._previewer(service, tab.share)(own[0], "me/x", "", True, False, False)
    spec, _ = updates[tab.share.agreed]
    assert spec.adapters == tuple(own) and 1 < len(own) < len(service.zoo.entries())


def test_what_was_shown_is_pushed_with_the_visitors_token(service):
    service.hub.offline = False
    agreed = (PushSpec(("lora-digits-0",), "me/x"), "5eed")
    assert "https://hub.example/me/x" in share._pusher(service)(
        agreed, visitor("hf_theirs"), silent
    )
    share._pusher(service)(agreed, None, silent)
    assert service.hub.pushed == [(agreed[0], "hf_theirs", "5eed"), (agreed[0], "", "5eed")]
    assert share._pusher(service)(None, None, silent) == "" and len(service.hub.pushed) == 2


def test_offline_it_says_so(service):
    with pytest.raises(gr.Error, match="switched off"):
        share._pusher(service)((PushSpec(("a",), "me/x"), ""), None, silent)


def test_class_names_with_markup_stay_text():
    said = share.describe(UploadPreview("me/x", ((EVIL, 1),), EVIL, (EVIL,)))
    assert "<img" not in said and "![" not in said


def test_only_what_can_be_taken_is_offered_and_then_shown(service, tab):
    with pytest.warns(UserWarning, match="1 file cannot be taken. bad: ill-formed."):
        found, take = share._looker(service)("you/x", None)
    assert [id for _, id in found.choices] == ["theirs"] == found.value and take.visible
    taken = share._taker(service, adapters._taken(service, tab))(
        "you/x", ["theirs"], 4, None, silent
    )
    assert taken[tab.chosen] == "theirs" and taken[tab.stamp] == 5
    with pytest.raises(gr.Error, match="ticked"):  # to the service, none named means all
        share._taker(service, adapters._taken(service, tab))("you/x", [], 4, None, silent)


def test_gradio_gives_the_handlers_a_token():
    """By the annotation, which `speaking` must not hide; without a login it is None."""
    from gradio.helpers import special_args

    inputs, *_ = special_args(share._pusher(None), ["agreed"], request=None)
    assert inputs[:2] == ["agreed", None]
