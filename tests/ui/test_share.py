"""Only what has been shown is pushed, in the name of who pushes; and what comes from the Hub is
named as text.
"""

from types import SimpleNamespace

import gradio as gr
import pytest

from peft_demo.contracts.cards import UploadPreview
from peft_demo.contracts.specs import PushSpec
from peft_demo.ui import adapters, data
from peft_demo.ui.adapters import get, share
from peft_demo.ui.adapters.added import Added
from peft_demo.ui.page import new_page

from .fake import EVIL


@pytest.fixture
def page():
    with gr.Blocks(analytics_enabled=False) as blocks:
        return new_page(blocks)


@pytest.fixture
def tab(service, page) -> adapters.AdaptersTab:
    with page.blocks, gr.Tab("Adapters") as opened:
        form = data.build(page, opened, service.data, offline=True, allow_local_paths=False).form
        return adapters.build(
            page, opened, form, service.zoo, service.hub, service.answers, offline=True
        )


@pytest.fixture
def preview(service, tab):
    """The handler that shows what becomes public."""
    return share.previewer(tab.share.preview, service.zoo, service.hub)


@pytest.fixture
def push(service):
    return share.pusher(service.hub)


@pytest.fixture
def take(service, tab, page):
    return get.taker(Added(tab.details, page.zoo_changed, service.zoo), service.hub)


def visitor(token: str) -> SimpleNamespace:
    return SimpleNamespace(token=token)


def silent(*_, **__) -> None:
    """Stands in for gr.Progress."""


def test_a_preview_shows_files_card_and_class_names_and_sends_nothing(service, tab, preview):
    updates = preview("lora-digits-0", " me/x ", "MIT", False, True, False)
    shown = tab.share.preview
    assert updates[shown.agreed] == (PushSpec(("lora-digits-0",), "me/x", True, "mit"), "5eed")
    assert "README\\.md, 900 B" in updates[shown.disclosures]
    assert "names of the classes" in updates[shown.disclosures]
    assert updates[shown.card] == "# card"
    assert service.hub.pushed == []


def test_a_bad_name_is_a_sentence(preview):
    with pytest.raises(gr.Error, match="OWNER/NAME"):
        preview("lora-digits-0", "x", "", False, False, False)


def test_all_of_ones_own_can_go_together(service, tab, preview):
    """Without those that came with the project, and those that nobody can read."""
    own = [entry.id for entry in service.zoo.entries() if entry.card and not entry.shipped]
    updates = preview(own[0], "me/x", "", True, False, False)
    spec, _ = updates[tab.share.preview.agreed]
    assert spec.adapters == tuple(own)
    assert 1 < len(own) < len(service.zoo.entries())


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


def test_class_names_with_markup_stay_text():
    words = share.describe(UploadPreview("me/x", ((EVIL, 1),), EVIL, (EVIL,)))
    assert "<img" not in words and "![" not in words


def test_only_what_can_be_taken_is_offered(service):
    with pytest.warns(UserWarning, match=r"1 file cannot be taken. bad: ill-formed."):
        names, button = get.looker(service.hub)("you/x", None)
    assert [id for _, id in names.choices] == ["theirs"] == names.value
    assert button.visible


def test_what_was_taken_is_shown(tab, page, take):
    updates = take("you/x", ["theirs"], 4, None, silent)
    assert updates[tab.details.chosen] == "theirs"
    assert updates[page.zoo_changed] == 5


def test_ticking_nothing_takes_nothing(take):
    """To the service, none named means all."""
    with pytest.raises(gr.Error, match="ticked"):
        take("you/x", [], 4, None, silent)


def test_gradio_gives_the_handlers_a_token(push):
    """By the annotation, which `speaking` must not hide; without a login it is None."""
    from gradio.helpers import special_args

    inputs, *_ = special_args(push, ["agreed"], request=None)
    assert inputs[:2] == ["agreed", None]
