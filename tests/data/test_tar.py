"""Tar files, packed or not, from strangers too."""

import io
import tarfile

import pytest
from pictures import places, png, tree, write_folder

from peft_demo.contracts.errors import BadData
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset, parse, split
from peft_demo.data.sources import tar as archive

FILES = tree({"train/cat": 3, "train/dog": 3, "test/cat": 1, "test/dog": 1})


def write(path, files=FILES, mode: str = "w", extra=()):
    with tarfile.open(path, mode) as tar:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
        for info in extra:
            tar.addfile(info)
    return path


def opened(path, **reading):
    return open_dataset(DataSpec("tar", path.name, **reading), path)


@pytest.mark.parametrize(
    ("name", "mode"),
    [
        ("p.tar", "w"),
        ("p.tar.gz", "w:gz"),
        ("p.tgz", "w:gz"),
        ("p.tar.bz2", "w:bz2"),
        ("p.txz", "w:xz"),
    ],
)
def test_a_tar_is_read_as_the_folder_would_be(tmp_path, name, mode):
    path = write(tmp_path / name, mode=mode)
    spec, place = parse(str(path), shots=2)
    dataset = open_dataset(spec, place)
    folder = open_dataset(DataSpec("folder", "f"), write_folder(tmp_path / "f", FILES))
    assert spec.source == "tar" and dataset.title == "p"
    assert places(dataset) == places(folder)
    assert {e.digest for e in dataset.examples} == {e.digest for e in folder.examples}
    assert split(dataset, 2, 0).fingerprint == split(folder, 2, 0).fingerprint


def info(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


def test_links_devices_and_names_that_lead_out_are_rejected(tmp_path):
    extra = [
        info("train/cat/link.png", tarfile.SYMTYPE, "/etc/passwd"),
        info("train/cat/hard.png", tarfile.LNKTYPE, "train/dog/0.png"),
        info("train/cat/pipe.png", tarfile.FIFOTYPE),
        info("../out.png", tarfile.REGTYPE),
        info("/etc/out.png", tarfile.REGTYPE),
        info("train/emu", tarfile.DIRTYPE),
        info("train/cat/.DS_Store", tarfile.REGTYPE),
    ]
    dataset = opened(write(tmp_path / "p.tar", extra=extra))
    reasons = dict(dataset.rejected)
    assert "not followed" in reasons["train/cat/link.png"] and "cat/hard.png" in str(reasons)
    assert "regular" in reasons["train/cat/pipe.png"]
    assert "leads out" in reasons["../out.png"] and "leads out" in reasons["//etc/out.png"]
    assert any("'emu'" in notice for notice in dataset.notices)
    assert len(dataset.examples) == len(FILES)


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("share", [0.2, 0.37, 0.5, 0.62])
def test_a_tar_that_is_cut_short_is_a_sentence(tmp_path, mode, share):
    """Wherever it ends, in a picture or in a header."""
    path = write(tmp_path / "p.tar", mode=mode)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BadData, match=r"p\.tar") as caught:
        opened(path)
    assert "cut short" in caught.value.hint


def test_what_is_no_tar_is_a_sentence(tmp_path):
    (tmp_path / "p.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(BadData, match="not a tar file"):
        opened(tmp_path / "p.tar")
    with pytest.raises(BadData, match="no file"):
        opened(tmp_path / "none.tar")


def test_a_bomb_is_not_unpacked_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MAX_UNPACKED", 2**20)
    path = write(tmp_path / "p.tar.gz", {"cat/1.png": bytes(3 * 2**20)}, "w:gz")
    with pytest.raises(BadData, match="unpacks to more than"):
        opened(path)


def test_a_member_larger_than_a_picture_may_be_is_not_read(tmp_path, monkeypatch):
    path = write(tmp_path / "p.tar", {"cat/1.png": png(1), "dog/1.png": png(2, 64)})
    monkeypatch.setattr(archive, "MAX_BYTES", 5000)
    dataset = opened(path)
    assert [example.name for example in dataset.examples] == ["cat/1.png"]
