"""The trash: what was deleted can be had back, and nothing else can be reached through it."""

from dataclasses import replace

import pytest

from peft_demo import adapters
from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import UnknownName
from peft_demo.studio.adapter_store import AdapterStore
from peft_demo.studio.trash import Trash


@pytest.fixture
def zoo(tmp_path, adapter_file) -> AdapterStore:
    """One of one's own."""
    zoo = AdapterStore(tmp_path / "zoo", Trash(tmp_path / "trash"), tmp_path / "shipped")
    card = adapters.read_card(adapter_file)
    content = AdapterFile.open(adapter_file).with_card(replace(card, name="mine")).content
    zoo.own.mkdir()
    (zoo.own / "mine.safetensors").write_bytes(content)
    return zoo


def test_what_was_deleted_is_listed_and_comes_back_as_it_was(zoo):
    content = zoo.path("mine").read_bytes()
    name = zoo.delete("mine")
    assert [(entry.id, entry.card.name) for entry in zoo.trash.entries()] == [("mine", "mine")]
    assert zoo.restore(name) == "mine"
    assert zoo.path("mine").read_bytes() == content
    assert zoo.trash.entries() == []


def test_a_name_that_is_taken_meanwhile_gets_a_free_one(zoo):
    before = zoo.path("mine").read_bytes()
    name = zoo.delete("mine")
    other = zoo.take(AdapterFile.parse(before), "mine")
    changed = zoo.path(other).read_bytes()
    assert (other, zoo.restore(name)) == ("mine", "mine-2")
    assert zoo.path("mine").read_bytes() == changed
    assert zoo.path("mine-2").read_bytes() == before


def test_the_name_of_a_shipped_one_is_taken_too(zoo):
    zoo.shipped.mkdir()
    name = zoo.delete("mine")
    (zoo.shipped / "mine.safetensors").write_bytes(b"theirs")
    assert zoo.restore(name) == "mine-2"


@pytest.mark.parametrize("name", ["", "other", "../zoo/mine", "/etc/passwd", ".lock", "a\0b"])
def test_only_what_lies_there_can_be_restored(zoo, name):
    zoo.delete("mine")
    with pytest.raises(UnknownName, match="no adapter in the trash"):
        zoo.restore(name)


def test_emptying_leaves_everything_else_in_the_folder_alone(zoo):
    zoo.delete("mine")
    note = zoo.trash.folder / "note.txt"
    note.write_text("not ours")
    assert zoo.trash.empty() == 1
    assert zoo.trash.entries() == [] and note.read_text() == "not ours"
    assert zoo.trash.empty() == 0


def test_a_broken_file_lies_there_with_its_reason(zoo):
    (zoo.own / "bad.safetensors").write_bytes(b"\xff" * 40)
    zoo.delete("bad")
    (entry,) = zoo.trash.entries()
    assert entry.card is None and entry.refusal
