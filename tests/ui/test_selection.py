"""Several adapters at once: ticked, downloaded, deleted and had back, compared; and the trash."""

import zipfile
from types import SimpleNamespace

import gradio as gr
import pytest

from peft_demo.ui import links
from peft_demo.ui.adapters import selection, trash
from peft_demo.ui.adapters.trash import SURE

from .fake import card

pytestmark = pytest.mark.usefixtures("uploads")


def ticked(*ids) -> SimpleNamespace:
    return SimpleNamespace(_data={"ticked": list(ids)})


def test_the_bar_counts_what_is_ticked_and_forgets_what_has_gone(service, tab):
    part = tab.selection
    updates = selection.ticker(part, service.zoo)(ticked("lora-digits-0", "evil", "gone"))
    assert updates[part.ticked] == ("lora-digits-0", "evil")
    assert updates[part.count] == "**2 chosen** · 302 kB" and updates[part.bar].visible
    assert not selection.ticker(part, service.zoo)(ticked())[part.bar].visible


@pytest.mark.parametrize("sent", [None, {}, {"ticked": "x"}, {"ticked": [1, None]}, "text"])
def test_a_browser_may_send_anything(service, tab, sent):
    event = SimpleNamespace(_data=sent)
    updates = selection.ticker(tab.selection, service.zoo)(event)
    assert updates[tab.selection.ticked] == ()


def test_one_is_downloaded_as_it_is_and_several_as_a_zip(service):
    download = selection.downloader(service.zoo)
    assert download(["evil"]).endswith("/evil.safetensors")
    several = download(["lora-digits-0", "evil"])
    assert several.endswith("/adapters.zip")
    with zipfile.ZipFile(several) as archive:
        assert archive.namelist() == ["lora-digits-0.safetensors", "evil.safetensors"]
        assert archive.read("evil.safetensors") == b"fake"
    with pytest.raises(gr.Error, match="ticked"):
        download([])


def test_what_was_deleted_can_be_had_back(service, empty_page, tab):
    part = tab.selection
    delete = selection.deleter(part, empty_page.zoo_changed, service.zoo)
    updates = delete(["lora-digits-0", "evil"], 3)
    assert updates[part.gone] == ("lora-digits-0", "evil") and updates[empty_page.zoo_changed] == 4
    assert updates[part.undo_line].visible and "2 adapters lie" in updates[part.deleted]
    assert list(service.zoo.cards) == []
    undo = selection.undoer(part, empty_page.zoo_changed, service.zoo)
    updates = undo(updates[part.gone], 4)
    assert not updates[part.undo_line].visible
    assert sorted(service.zoo.cards) == ["evil", "lora-digits-0"]


def test_one_that_must_stay_stops_no_other_and_says_why(service, empty_page, tab, told):
    service.zoo.cards["shipped"] = card("shipped")
    delete = selection.deleter(tab.selection, empty_page.zoo_changed, service.zoo)
    updates = delete(["shipped", "evil"], 0)
    assert "not in your own zoo" in told[0]
    assert updates[tab.selection.gone] == ("evil",) and "shipped" in service.zoo.cards


def test_a_name_that_was_taken_meanwhile_is_told(service, empty_page, tab, told):
    service.zoo.delete("evil")
    service.zoo.cards["evil"] = card("evil")
    restore = trash.restorer(empty_page.zoo_changed, service.zoo)
    restore(["evil"], 0)
    assert told == ["Put back as evil-2, as there is another evil by now."]
    with pytest.raises(gr.Error, match="ticked"):
        restore([], 0)


def test_the_trash_is_emptied_by_the_second_click(service, empty_page, tab, told):
    service.zoo.delete("evil")
    empty = trash.emptier(tab.trash, empty_page.zoo_changed, service.zoo)
    assert empty("Empty the trash", 0) == {tab.trash.empty: SURE}
    assert service.zoo.deleted
    updates = empty(SURE, 0)
    assert told == ["1 adapter deleted for good."]
    assert not service.zoo.deleted and not updates[tab.trash.box].visible


def test_up_to_four_are_compared(service):
    compare = links.compare_adapters(service.zoo)
    tabs, first, others = compare(["evil", "lora-digits-0"])
    assert (tabs.selected, first.value, others.value) == ("classify", "evil", ["lora-digits-0"])
    service.zoo.cards |= {name: card(name) for name in "abc"}
    for ids, reason in (
        (["evil"], "Tick one more"),
        (["evil", "lora-digits-0", "a", "b", "c"], "at most 4"),
        (["evil", "broken"], "cannot"),
    ):
        with pytest.raises(gr.Error, match=reason):
            compare(ids)
