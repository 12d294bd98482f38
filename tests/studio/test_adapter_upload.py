"""What is dropped on the page together: files of ours, a LoRA of peft in pieces, zips of both."""

import io
import json
import shutil
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest

from peft_demo.contracts.errors import BadAdapter
from peft_demo.contracts.specs import ImportHints
from peft_demo.studio import Studio, adapter_upload

CONFIG = "adapter_config.json"
TENSORS = "adapter_model.safetensors"


@pytest.fixture(scope="module")
def lora(open_studio, adapter_file, tmp_path_factory) -> Path:
    """A LoRA as peft keeps it: a folder with a note of ours."""
    studio = open_studio(tmp_path_factory.mktemp("exported"))
    folder = tmp_path_factory.mktemp("peft") / "folder"
    studio.zoo.export(studio.zoo.take(adapter_file), "peft", folder)
    return folder


def zipped(target: Path, members: dict[str, bytes]) -> Path:
    with ZipFile(target, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return target


def result(studio: Studio, *files: Path, **hints) -> list[tuple[str, str, bool]]:
    taken = studio.zoo.take_upload(files, ImportHints(**hints))
    return [(one.name, one.id, bool(one.refusal)) for one in taken]


def test_a_file_keeps_its_name_where_it_is_free(studio, adapter_file, tmp_path):
    mine = tmp_path / "My best.safetensors"
    shutil.copy(adapter_file, mine)
    assert result(studio, mine, mine) == [
        ("My best", "my-best", False),
        ("My best", "my-best-2", False),
    ]


def test_one_broken_file_stops_no_other(studio, adapter_file, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"\xff" * 64)
    note = tmp_path / "note.txt"
    note.write_text("hello")
    taken = result(studio, broken, adapter_file, note)
    assert taken[0] == ("broken", "", True) and taken[2] == ("note.txt", "", True)
    assert taken[1][1] in [entry.id for entry in studio.zoo.entries()]


def test_the_two_files_of_a_peft_folder_belong_together(studio, lora):
    ((_, id, refused),) = result(studio, lora / CONFIG, lora / TENSORS, lora / "peft_demo.json")
    assert not refused and studio.zoo.card(id).classes == ("blue", "green", "red")


def test_what_the_files_do_not_say_a_person_says(studio, lora, tmp_path):
    """As a browser calls them that has files of these names already."""
    config = tmp_path / "adapter_config (1).json"
    shutil.copy(lora / CONFIG, config)
    values = json.loads(config.read_text())
    tensors = tmp_path / "adapter_model (1).safetensors"
    shutil.copy(lora / TENSORS, tensors)
    (refused,) = studio.zoo.take_upload([config, tensors])
    assert values["peft_type"] == "LORA" and "classes are not in this file" in refused.refusal
    backbone = studio.zoo.backbones()[0].name
    hints = {"classes": ("a", "b", "c"), "backbone": backbone, "size": 32}
    ((_, id, _),) = result(studio, config, tensors, **hints)
    assert studio.zoo.card(id).classes == ("a", "b", "c")


@pytest.mark.parametrize("half", [CONFIG, TENSORS])
def test_half_a_lora_says_which_half_is_missing(studio, lora, half):
    other = {CONFIG: TENSORS, TENSORS: CONFIG}[half]
    (taken,) = studio.zoo.take_upload([lora / half])
    assert other in taken.refusal and "together" in taken.refusal
    assert "PEFT Demo" not in taken.refusal


def test_a_zip_holds_any_number_of_both(studio, lora, adapter_file, tmp_path):
    members = {f"flowers/{file.name}": file.read_bytes() for file in lora.iterdir()}
    members |= {"one.safetensors": adapter_file.read_bytes(), "__MACOSX/._one": b"x"}
    taken = result(studio, zipped(tmp_path / "all.zip", members))
    assert sorted(taken) == [("flowers", "flowers", False), ("one", "one", False)]


def test_a_lora_at_the_top_of_a_zip_has_the_name_of_the_zip(studio, lora, tmp_path):
    members = {file.name: file.read_bytes() for file in lora.iterdir()}
    assert result(studio, zipped(tmp_path / "hats.zip", members)) == [("hats", "hats", False)]


def test_hostile_members_never_leave_the_zip(studio, adapter_file, tmp_path):
    content = adapter_file.read_bytes()
    members = {"../../out.safetensors": content, "in/\0.safetensors": content}
    bomb = io.BytesIO(b"\0" * 3_000_000).getvalue()
    members["bomb.safetensors"] = bomb
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    taken = studio.zoo.take_upload([zipped(tmp_path / "evil.zip", members)])
    assert not any(one.name == "bomb" and one.id for one in taken)
    after = {path for path in tmp_path.rglob("*") if path.is_file()}
    new = [path for path in after - before if path.suffix == ".safetensors"]
    assert all(path.parent == studio.home.zoo for path in new)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04cut", b"no zip at all"])
def test_a_zip_that_is_none_is_refused_in_a_sentence(studio, tmp_path, content):
    file = tmp_path / "x.zip"
    file.write_bytes(content)
    ((name, id, refused),) = result(studio, file)
    assert (name, id, refused) == ("x.zip", "", True)


def test_a_zip_without_adapters_says_what_one_is(studio, tmp_path):
    (taken,) = studio.zoo.take_upload([zipped(tmp_path / "x.zip", {"a.png": b"x"})])
    assert "x.zip holds no adapter" in taken.refusal and CONFIG in taken.refusal


def test_more_than_fits_is_refused_before_anything_is_copied(
    studio, adapter_file, tmp_path, monkeypatch
):
    monkeypatch.setattr(adapter_upload, "LIMIT", 1000)
    with pytest.raises(BadAdapter, match="larger than"):
        studio.zoo.take_upload([adapter_file])
    assert studio.zoo.entries() == []


def test_the_pickle_of_an_old_peft_is_called_one(studio, tmp_path):
    pickle = tmp_path / "adapter_model.bin"
    pickle.write_bytes(b"PK")
    members = {"adapter_config.json": b"{}", "adapter_model.bin": b"PK"}
    taken = studio.zoo.take_upload([pickle, zipped(tmp_path / "old.zip", members)])
    assert len(taken) == 2
    assert all("safe_serialization=True" in one.refusal for one in taken)
