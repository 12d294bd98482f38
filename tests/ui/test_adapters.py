"""What the tab lists, opens, adds, renames and exports; every word of a card is text."""

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import gradio as gr
import pytest

from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.cards import Taken, ZooEntry
from peft_demo.contracts.errors import CannotExport
from peft_demo.contracts.origin import Origin
from peft_demo.contracts.specs import RunSpec
from peft_demo.ui import adapters
from peft_demo.ui.adapters import add, details, edit, export, shelf
from peft_demo.ui.adapters.listing import CARDS, TABLE
from peft_demo.ui.classify.usable import usable

from .fake import EVIL, card

pytestmark = pytest.mark.usefixtures("uploads")


def listed(service, tab, dataset=shelf.ALL, method=shelf.ALL, words="", view=CARDS):
    draw = adapters.lister(tab, service.zoo)
    return draw(dataset, method, words, shelf.NAME, view, ())


def test_unusable_files_are_listed_with_their_reason(service, tab):
    for view in (CARDS, TABLE):
        html = listed(service, tab, view=view)[tab.listing]
        assert "Cannot be used: The file is truncated." in html and 'data-open="broken"' in html


def test_chips_hold_back_cards_and_points_alike(service, tab):
    service.zoo.cards["other"] = card("other", method="arc", test_accuracy=0.5)
    everything = listed(service, tab)
    assert 'data-id="other"' in everything[tab.scatter]
    updates = listed(service, tab, method="lora")
    assert 'data-open="other"' not in updates[tab.listing]
    assert 'data-id="other"' not in updates[tab.scatter]
    assert "value" not in updates[tab.filters.method]._constructor_args[0], "it stays as it is"
    assert ("ARC 1", "arc") in updates[tab.filters.method].choices


def test_the_search_holds_back_cards(service, tab):
    assert 'data-open="evil"' not in listed(service, tab, words="digits-0")[tab.listing]


def test_the_lead_counts_files_and_bytes(service, tab):
    assert "3 adapters, 302 kB together" in listed(service, tab)[tab.lead]


def test_the_trash_is_there_while_something_lies_in_it(service, tab):
    assert not listed(service, tab)[tab.trash.box].visible
    service.zoo.delete("evil")
    updates = listed(service, tab)
    assert updates[tab.trash.box].visible and updates[tab.trash.box].label == "Trash · 1"
    assert [id for _, id in updates[tab.trash.names].choices] == ["evil"]


def test_opening_one_hides_the_list(service, tab):
    updates = adapters.opener(tab, service.zoo)(SimpleNamespace(value="evil"))
    assert updates[tab.details.chosen] == "evil"
    assert updates[tab.details.column].visible and not updates[tab.list_column].visible
    with pytest.raises(gr.Error, match="no adapter 'gone' any more"):
        adapters.opener(tab, service.zoo)(SimpleNamespace(value="gone"))


def file_of(folder: Path, name: str, octets: int) -> str:
    file = folder / name
    file.write_bytes(b"x" * octets)
    return str(file)


def test_what_was_dropped_is_told_once_each(service, empty_page, tab, told, tmp_path):
    take = add.taker(tab.add, empty_page.zoo_changed, service.zoo)
    files = [file_of(tmp_path, "mine.safetensors", 200), file_of(tmp_path, "cut.safetensors", 9)]
    updates = take(files, "", "", 7)
    assert told == [
        "Added as mine.",
        "Not added: cut.safetensors. This file is truncated. Copy it again.",
    ]
    assert updates == {tab.add.drop: None, empty_page.zoo_changed: 8}
    assert take(files[1:], "", "", 8)[empty_page.zoo_changed] == 8, "nothing new to list"


def test_classes_and_backbone_that_were_named_are_hints(service, empty_page, tab, monkeypatch):
    asked = []

    def take_upload(files, hints):
        asked.append((hints.classes, hints.backbone))
        return [Taken("lora", "lora")]

    monkeypatch.setattr(service.zoo, "take_upload", take_upload)
    take = add.taker(tab.add, empty_page.zoo_changed, service.zoo)
    take(["x"], " cat,  big   dog ,", "vit", 0)
    assert asked == [(("cat", "big dog"), "vit")]


def test_a_rename_that_changes_the_typed_name_says_why(service, empty_page, tab, told, monkeypatch):
    rename = edit.renamer(tab, empty_page.zoo_changed, service.zoo)
    rename("evil", "plain", 0)
    assert told == []
    slugs = {"For A While": "for-a-while", "lora-digits-0": "lora-digits-0-2"}
    real = service.zoo.rename
    monkeypatch.setattr(service.zoo, "rename", lambda id, name: real(id, slugs[name]))
    rename("plain", "For A While", 0)
    rename("for-a-while", "lora-digits-0", 0)
    assert told == [
        "It is called for-a-while: names are small letters, digits and hyphens.",
        "It is called lora-digits-0-2, as there is another lora-digits-0 already.",
    ]


def test_one_that_is_deleted_can_be_had_back_from_the_list(service, empty_page, tab):
    updates = edit.deleter(tab, empty_page.zoo_changed, service.zoo)("evil", 0)
    assert updates[tab.list_column].visible and updates[tab.selection.gone] == ("evil",)
    assert "evil" in service.zoo.deleted


@pytest.fixture
def exported(service, tab, monkeypatch):
    """format → what the page shows of it; the fake writes what it is asked for."""

    def write(id, to, out, rank=0):
        if to != "onnx":
            out.mkdir()
            (out / "adapter_config.json").write_text(json.dumps({"id": id}))
        else:
            out.write_bytes(b"onnx")
        return ("rank 8 became <b>16</b>.",)

    monkeypatch.setattr(service.zoo, "export", write)
    with gr.Blocks():
        part = export.build(gr.DownloadButton("x"))

    def show(write):
        updates = export.exporter(part, write, service.zoo)("evil")
        return updates[part.notes], updates[part.file]

    return show


def test_exports_are_files_with_their_notes(exported):
    (_, peft), (words, nearest), _, (_, timm), *_ = export.FORMATS
    notes, file = exported(peft)
    assert file.endswith("/evil-peft.zip") and "rank 8" in notes and "<b>" not in notes
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["evil/adapter_config.json"]
    assert "16" in words and exported(nearest)[1].endswith("/evil-peft-rank-16.zip")
    assert exported(export.to_onnx)[1].endswith("/evil.onnx")
    assert exported(timm)[1].endswith("/evil-timm.zip")


def test_what_cannot_be_exported_is_a_sentence_in_its_place(exported, service, monkeypatch):
    def refuse(*_):
        raise CannotExport("prompts have no place in a LoRA.")

    monkeypatch.setattr(service.zoo, "export", refuse)
    notes, file = exported(export.FORMATS[0][1])
    assert file is None and "Prompts have no place in a LoRA" in notes


def test_they_are_not_offered_for_answers(service):
    assert usable(service.zoo) == ["lora-digits-0", "evil"]


def described(card: AdapterCard) -> str:
    return details.describe(ZooEntry("a", 10, False, card), card, {"lora": "LoRA"})


def test_a_card_without_test_images_says_not_measured():
    assert "not measured" in described(card(test_accuracy=None, test_images=0))


def test_a_card_says_where_its_run_went_on_from_and_what_was_tried():
    run = RunSpec(origin=Origin("digits_before")).to_json()
    words = described(card(spec=run, trials=8, trial_images=40))
    assert "| Went on from | digits\\_before |" in words
    assert "best of 8 settings on 40 validation images" in words


def test_validation_images_are_said_to_have_chosen_where_they_did():
    """They did among several looks or several settings; one look chooses nothing."""
    seen = {"val_accuracy": 0.9, "val_images": 40}
    chose = "took part in choosing"
    assert chose in described(card(**seen, accuracy_curve=((1, 0.8), (2, 0.9))))
    assert chose in described(card(**seen, accuracy_curve=((1, 0.9),), trials=3, trial_images=40))
    assert "choosing" not in described(card(**seen, accuracy_curve=((1, 0.9),)))
    assert "choosing" not in described(card(val_accuracy=None, val_images=0))
    assert "Went on from" not in described(card()) and "chosen" not in described(card())


def test_class_names_with_markup_stay_text():
    words = described(card("evil", (EVIL, "b")))
    assert "<img" not in words and "![" not in words


def test_a_card_with_a_broken_spec_has_no_command():
    assert details.command(card(spec={"data": 3})) == ""


@pytest.mark.parametrize("spec", [{}, {"data": None}, {"data": "text"}])
def test_a_card_with_a_broken_spec_can_still_be_described(spec):
    odd = card(spec=spec)
    assert "the file does not say" in described(card(spec={}))
    assert "LoRA" in described(odd)


def test_the_sha_of_a_card_says_what_it_is_of():
    """The header shows another one, of the weights as they are loaded."""
    assert "| Source checkpoint of that | sha256 4f0c4f0c4f0c |" in described(card())
