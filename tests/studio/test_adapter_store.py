"""Adapter files: looked up, checked, renamed, and never lost when two write at once."""

import json
import os
import struct
import subprocess
import sys
from dataclasses import replace
from threading import Thread

import pytest

from peft_demo import adapters
from peft_demo.adapters import AdapterFile
from peft_demo.contracts.errors import BadAdapter, BadValue, CannotWrite, NotAllowed, UnknownName
from peft_demo.storage.lock import locked
from peft_demo.studio import entry
from peft_demo.studio.adapter_store import AdapterStore, refusal
from peft_demo.studio.trash import Trash


@pytest.fixture
def zoo(tmp_path, adapter_file) -> AdapterStore:
    """Two of one's own, one shipped."""
    zoo = AdapterStore(tmp_path / "zoo", Trash(tmp_path / "trash"), tmp_path / "shipped")
    card = adapters.read_card(adapter_file)
    for folder, name in ((zoo.own, "mine"), (zoo.own, "other"), (zoo.shipped, "given")):
        folder.mkdir(exist_ok=True)
        (folder / f"{name}.safetensors").write_bytes(
            AdapterFile.open(adapter_file).with_card(replace(card, name=name)).content
        )
    return zoo


def header(plain: dict, rest: bytes = b"") -> bytes:
    text = json.dumps(plain).encode()
    return struct.pack("<Q", len(text)) + text + rest


HOSTILE = {
    "empty": b"",
    "short": b"\x01\x02",
    "text": b"hello, this is no adapter at all",
    "pickle": b"\x80\x04\x95" + b"\x00" * 100,
    "huge header": struct.pack("<Q", 2**62) + b"{}",
    "no card": header({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}, b"\0" * 4),
    "card is a list": header({"__metadata__": {"peft_demo": "[]"}}),
    "card is empty": header({"__metadata__": {"peft_demo": "{}"}}),
}


def test_lists_own_ones_first_then_shipped(zoo):
    assert [(e.id, e.shipped, e.card.name) for e in zoo.entries()] == [
        ("mine", False, "mine"), ("other", False, "other"), ("given", True, "given"),
    ]  # fmt: skip
    assert AdapterStore(zoo.own / "nope", zoo.trash, zoo.own / "nope").entries() == []


@pytest.mark.parametrize("name", HOSTILE)
def test_a_broken_file_is_listed_with_its_refusal_and_never_imported(zoo, tmp_path, name):
    (zoo.own / "bad.safetensors").write_bytes(HOSTILE[name])
    entry = next(e for e in zoo.entries() if e.id == "bad")
    assert entry.card is None and entry.refusal
    with pytest.raises(BadAdapter):
        zoo.card("bad")
    dropped = tmp_path / "dropped.safetensors"
    dropped.write_bytes(HOSTILE[name])
    with pytest.raises(BadAdapter):
        zoo.take(AdapterFile.open(dropped))
    assert sorted(os.listdir(zoo.own)) == [
        "bad.safetensors",
        "mine.safetensors",
        "other.safetensors",
    ]


def test_a_truncated_file_is_refused(zoo, tmp_path):
    whole = zoo.path("mine").read_bytes()
    (tmp_path / "cut.safetensors").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadAdapter):
        zoo.take(AdapterFile.open(tmp_path / "cut.safetensors"))


@pytest.mark.parametrize(
    "id",
    [
        "../x",
        "../zoo/mine",
        "/etc/passwd",
        "..",
        ".",
        "",
        "mine.safetensors",
        "a/../mine",
        "a\\mine",
        "C:mine",
        "mi\0ne",
    ],
)
def test_an_id_that_is_not_in_the_list_is_refused(zoo, id):
    for ask in (zoo.path, zoo.card, zoo.delete, lambda i: zoo.rename(i, "new")):
        with pytest.raises(UnknownName, match="no adapter"):
            ask(id)
    assert len(zoo.entries()) == 3


def test_import_makes_an_id_of_its_own(zoo, adapter_file):
    content = adapter_file.read_bytes()
    first = zoo.take(AdapterFile.open(adapter_file))
    second = zoo.take(AdapterFile.open(adapter_file))
    assert first != second and {first, second} <= set(zoo.ids())
    assert zoo.path(second).read_bytes() == content


def test_rename_changes_card_and_id(zoo):
    new = zoo.rename("mine", "Äpfel & Birnen")
    assert new == "apfel-birnen"
    assert zoo.card(new).name == "Äpfel & Birnen"
    assert "mine" not in zoo.ids()
    assert zoo.rename("other", "Äpfel Birnen") == "apfel-birnen-2", "never over another one"
    assert zoo.rename(new, "Apfel Birnen") == new, "its own id is free for itself"
    with pytest.raises(BadValue, match="1 to 80"):
        zoo.rename(new, "  ")


def test_rename_class_keeps_the_tensors(zoo):
    from safetensors import safe_open

    def tensors(id):
        with safe_open(zoo.path(id), "np") as f:
            return {k: f.get_tensor(k).tobytes() for k in f.keys()}  # noqa: SIM118

    before = tensors("mine")
    zoo.rename_class("mine", "blue", "<b>azure</b>")
    assert zoo.card("mine").classes == ("<b>azure</b>", "green", "red")
    assert tensors("mine") == before
    with pytest.raises(UnknownName, match="no class"):
        zoo.rename_class("mine", "blue", "x")
    with pytest.raises(BadValue, match="already"):
        zoo.rename_class("mine", "green", "red")


def test_delete_moves_to_the_trash_under_a_name_of_its_own(zoo):
    content = zoo.path("mine").read_bytes()
    zoo.delete("mine")
    zoo.rename("other", "mine")
    zoo.delete("mine")
    assert zoo.ids() == ["given"]
    in_trash = sorted(path.name for path in zoo.trash.folder.glob("[!.]*"))
    assert in_trash == ["mine-2.safetensors", "mine.safetensors"]
    assert (zoo.trash.folder / "mine.safetensors").read_bytes() == content


def test_what_came_with_the_project_stays_as_it_is(zoo):
    for change in (
        zoo.delete,
        lambda i: zoo.rename(i, "x"),
        lambda i: zoo.rename_class(i, "red", "x"),
    ):
        with pytest.raises(NotAllowed, match="not in your own zoo"):
            change("given")
    assert zoo.path("given").exists()


def test_a_full_disk_leaves_no_half_adapter(zoo, monkeypatch, full_disk, adapter_file):
    before = {p.name: p.read_bytes() for p in zoo.own.glob("[!.]*")}
    monkeypatch.setattr(os, "replace", full_disk)
    for change in (
        lambda: zoo.take(AdapterFile.open(adapter_file)),
        lambda: zoo.save(adapter_file.read_bytes()),
        lambda: zoo.rename("mine", "new"),
        lambda: zoo.rename_class("mine", "red", "x"),
    ):
        with pytest.raises(CannotWrite, match=r"the disk is full: [a-z].*\.safetensors could"):
            change()
    assert {p.name: p.read_bytes() for p in zoo.own.glob("[!.]*")} == before
    assert not list(zoo.own.glob("*.tmp"))


def test_headers_are_read_once_until_a_file_changes(zoo, monkeypatch):
    zoo.entries()
    read = entry.read_card
    asked = []
    monkeypatch.setattr(entry, "read_card", lambda source: asked.append(source) or read(source))
    zoo.entries()
    assert asked == []
    zoo.rename_class("mine", "red", "crimson")
    assert next(e for e in zoo.entries() if e.id == "mine").card.classes[2] == "crimson"


def test_refusal_says_what_is_missing(adapter_file):
    card = adapters.read_card(adapter_file)
    assert "not on this machine" in refusal(replace(card, backbone="nowhere"), [])
    assert refusal(replace(card, method="lroa"), []) == "no method 'lroa'; did you mean 'lora'?"


SAVE = """
import sys
from pathlib import Path
from peft_demo.studio import entry
from peft_demo.studio.adapter_store import AdapterStore
from peft_demo.studio.trash import Trash
own, trash, file, times = sys.argv[1:]
store = AdapterStore(Path(own), Trash(Path(trash)), Path(own) / "none")
content = Path(file).read_bytes()
print("ready", flush=True)
sys.stdin.readline()
for _ in range(int(times)):
    print(store.save(content), flush=True)
"""


def test_two_processes_that_save_the_same_name_lose_nothing(tmp_path, adapter_file):
    command = [sys.executable, "-c", SAVE, tmp_path / "zoo", tmp_path / "trash", adapter_file, "20"]
    several = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    assert [process.stdout.readline() for process in several] == ["ready\n"] * 2
    for process in several:
        process.stdin.write("go\n")
        process.stdin.flush()
    told = [process.communicate(timeout=60)[0].split() for process in several]
    ids = [id for output in told for id in output]
    assert len(set(ids)) == 40
    assert set(ids) == {path.stem for path in (tmp_path / "zoo").glob("*.safetensors")}


def test_what_a_killed_writer_left_is_swept_but_not_what_a_person_put_there(zoo):
    left = zoo.own / f".{'0' * 32}.tmp"
    mine = zoo.own / ".notes.tmp"
    left.write_bytes(b"half an adapter")
    mine.write_bytes(b"a note")
    zoo.settle()
    assert not left.exists()
    assert mine.exists()


def test_a_writer_under_way_is_not_swept(zoo):
    draft = zoo.own / f".{'0' * 32}.tmp"
    with locked(zoo.own):
        draft.write_bytes(b"half an adapter")
        sweeper = Thread(target=zoo.settle)
        sweeper.start()
        sweeper.join(0.2)
        assert draft.exists()
    sweeper.join(10)
    assert not draft.exists()


def test_classes_renamed_by_two_at_once_are_both_renamed(zoo):
    several = [
        Thread(target=zoo.rename_class, args=("mine", old, new))
        for old, new in (("blue", "azure"), ("green", "lime"), ("red", "crimson"))
    ]
    for thread in several:
        thread.start()
    for thread in several:
        thread.join(30)
    assert zoo.card("mine").classes == ("azure", "lime", "crimson")


@pytest.mark.parametrize("name", ["a\u202eb", "a\nb", os.fsdecode(b"\xff")])
def test_a_file_name_that_cannot_be_shown_is_listed_with_what_to_do(zoo, name):
    (zoo.own / "mine.safetensors").rename(zoo.own / f"{name}.safetensors")
    (entry,) = [entry for entry in zoo.entries() if entry.card is None]
    assert "Rename the file" in entry.refusal
    assert entry.id in ("ab", "nameless")


def test_an_id_longer_than_a_file_name_is_unknown(zoo):
    with pytest.raises(UnknownName):
        zoo.path("字" * 120)


def test_a_pipe_in_the_zoo_keeps_nobody_waiting(zoo):
    os.mkfifo(zoo.own / "a.safetensors")
    assert [entry.id for entry in zoo.entries()] == ["a", "mine", "other", "given"]
