import errno
import os
from pathlib import Path

import pytest

from peft_demo import storage
from peft_demo.contracts.errors import CannotWrite
from peft_demo.storage import home


def test_home_is_where_the_environment_says_and_the_zoo_may_lie_elsewhere(tmp_path, monkeypatch):
    monkeypatch.setenv("PEFT_DEMO_HOME", str(tmp_path / "mine"))
    assert home.find_home().runs == tmp_path / "mine" / "runs"
    assert home.find_home(zoo=tmp_path / "zoo").zoo == tmp_path / "zoo"
    assert home.find_home(root=tmp_path / "other").zoo == tmp_path / "other" / "zoo"
    monkeypatch.delenv("PEFT_DEMO_HOME")
    assert home.find_home().root.is_absolute()


def test_write_replaces_the_whole_file(tmp_path):
    storage.write_file(tmp_path / "new" / "a", b"one")
    storage.write_file(tmp_path / "new" / "a", b"two")
    assert (tmp_path / "new" / "a").read_bytes() == b"two"
    assert os.listdir(tmp_path / "new") == ["a"]


@pytest.mark.parametrize("broken", ["replace", "fsync"])
def test_a_full_disk_is_a_sentence_and_leaves_what_was_there(
    tmp_path, monkeypatch, full_disk, broken
):
    storage.write_file(tmp_path / "a", b"before")
    monkeypatch.setattr(os, broken, full_disk)
    with pytest.raises(CannotWrite, match="the disk is full"):
        storage.write_file(tmp_path / "a", b"after")
    assert (tmp_path / "a").read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a"]


def test_a_read_only_folder_is_a_sentence(tmp_path, monkeypatch):
    def refused(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(CannotWrite, match="read-only"):
        storage.write_file(tmp_path / "a", b"x")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("LoRA on Digits!", "lora-on-digits"),
        ("été  à la mer", "ete-a-la-mer"),
        ("../../etc", "etc"),
        ("日本", "adapter"),
        ("CON", "con-adapter"),
        ("lpt1", "lpt1-adapter"),
        ("console", "console"),
    ],
)
def test_slug(text, expected):
    assert storage.slug(text) == expected


@pytest.mark.parametrize("broken", ["replace", "mkdir"])
def test_a_folder_appears_whole_or_not_at_all(tmp_path, monkeypatch, full_disk, broken):
    storage.write_folder(tmp_path / "good", {"a": b"1", "b": b"2"})
    assert sorted(os.listdir(tmp_path / "good")) == ["a", "b"]
    monkeypatch.setattr(*((os, "replace") if broken == "replace" else (Path, "mkdir")), full_disk)
    with pytest.raises(CannotWrite, match="the disk is full"):
        storage.write_folder(tmp_path / "bad", {"a": b"1"})
    assert os.listdir(tmp_path) == ["good"]


def test_slug_is_short_and_free_finds_another(tmp_path):
    long = storage.slug("x" * 100)
    assert len(long) == 48
    second = storage.free_name(long, [long])
    assert second != long and len(second) == 48
    assert storage.free_name("a", ["A", "a-2"]) == "a-3"


def test_move_never_overwrites(tmp_path):
    for content in ("one", "two"):
        Path(tmp_path / "a.txt").write_text(content)
        storage.move_file(tmp_path / "a.txt", tmp_path / "trash")
    assert {p.name: p.read_text() for p in (tmp_path / "trash").iterdir()} == {
        "a.txt": "one",
        "a-2.txt": "two",
    }


def test_sweep_removes_only_what_is_old_and_ours(tmp_path):
    for name in ("a-old", "a-new", "somebody's"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("x")
    for name in ("a-old", "somebody's"):
        os.utime(tmp_path / name, (0, 0))
    home.sweep(tmp_path, days=7, names="a-[a-z]+")
    assert sorted(os.listdir(tmp_path)) == ["a-new", "somebody's"]
