"""A benchmark on the Hub: downloaded, its archives unpacked once."""

from pathlib import Path
from types import SimpleNamespace
from zipfile import ZipFile

import field_trees as trees
import huggingface_hub
import pytest

from peft_demo.bench.field import root
from peft_demo.bench.field.root import find_root
from peft_demo.bench.field.vtab import VTAB
from peft_demo.contracts.errors import BadData, HubTrouble, NotAllowed

KITTI = next(task for task in VTAB.tasks if task.name == "kitti")


@pytest.fixture
def snapshot(tmp_path, monkeypatch) -> Path:
    """A folder in the place of what the Hub sends for "o/vtab"."""
    folder = tmp_path / "snapshot"
    folder.mkdir()

    def download(id: str, repo_type: str, local_files_only: bool) -> str:
        assert (id, repo_type, local_files_only) == ("o/vtab", "dataset", False)
        return str(folder)

    monkeypatch.setattr(huggingface_hub, "snapshot_download", download)
    return folder


def packed(source: Path, archive: Path, prefix: str = "") -> None:
    with ZipFile(archive, "w") as file:
        for path in source.rglob("*"):
            file.write(path, prefix + str(path.relative_to(source)))


def test_an_archive_of_the_hub_is_unpacked_once(snapshot, tmp_path):
    trees.vtab(tmp_path / "tree/vtab-1k", "kitti", 4)
    packed(tmp_path / "tree", snapshot / "vtab.zip")
    said = []
    for _ in range(2):
        found = find_root("hf:o/vtab", False, lambda what, fraction=-1.0: said.append(what))
    assert VTAB.folder(found, KITTI) == snapshot / "vtab-1k/kitti"
    assert said == ["downloading o/vtab", "unpacking vtab.zip", "downloading o/vtab"]


def test_an_archive_that_leads_out_of_its_folder_is_refused(snapshot, tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/a.txt").touch()
    packed(tmp_path / "tree", snapshot / "bad.zip", "../")
    with pytest.raises(BadData, match="outside its folder"):
        find_root("hf:o/vtab", False, print)
    assert not (tmp_path / "a.txt").exists()


def test_an_archive_that_does_not_fit_on_the_disk_is_not_begun(snapshot, tmp_path, monkeypatch):
    trees.vtab(tmp_path / "tree/vtab-1k", "kitti", 4)
    packed(tmp_path / "tree", snapshot / "vtab.zip")
    monkeypatch.setattr(root, "disk_usage", lambda folder: SimpleNamespace(free=1000))
    with pytest.raises(BadData, match=r"vtab\.zip unpacks to .* GB, and 0.0 GB are free"):
        find_root("hf:o/vtab", False, print)
    assert [path.name for path in snapshot.iterdir()] == ["vtab.zip"]


def test_what_is_no_zip_is_a_sentence(snapshot):
    (snapshot / "bad.zip").write_bytes(b"hello")
    with pytest.raises(BadData, match=r"bad\.zip is no zip"):
        find_root("hf:o/vtab", False, print)


def test_a_hub_that_is_not_there_and_a_name_that_is_none(home):
    with pytest.raises(NotAllowed, match="not on this machine"):
        find_root("hf:o/vtab", True, print)
    with pytest.raises(HubTrouble, match="could not be had"):
        find_root("hf:a/b/c", True, print)
