"""Folders and zips: what is a class, what a split, what is ignored, what refused."""

import os
import struct
import zipfile

import pytest
from pictures import encoded, picture, png, tree, write_folder, write_zip

from peft_demo.contracts.errors import BadData, NotAllowed, UnknownName
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import listing, open_dataset, parse
from peft_demo.data.sources import Request, Source, sources
from peft_demo.data.sources import zip as archive

ZIP = DataSpec("zip", "photos.zip")
FOLDER = DataSpec("folder", "photos")


def placed(dataset) -> set[tuple[str, str, str]]:
    return {(e.part, dataset.classes[e.label], e.name) for e in dataset.examples}


# layouts


def test_folders_are_classes_in_natural_order(zipped):
    dataset = zipped({"10": 1, "2": 1, "b": 1, "A": 1})
    assert dataset.classes == ("2", "10", "A", "b")
    assert ("", "10", "10/0.png") in placed(dataset)
    assert dataset.title == "photos" and not dataset.rejected and not dataset.notices


def test_splits_are_understood_in_all_spellings(zipped):
    dataset = zipped(
        {
            "Train/cat": 2,
            "train/dog": 1,
            "valid/cat": 1,
            "validation/dog": 1,
            "test/cat": 1,
            "test/dog": 1,
        }
    )
    assert dataset.classes == ("cat", "dog")
    assert sorted(e.part for e in dataset.examples) == [
        "test",
        "test",
        "train",
        "train",
        "train",
        "val",
        "val",
    ]


@pytest.mark.parametrize("wrapper", ["photos/", "a/b/"])
def test_wrapping_folders_are_seen_through(zipped, wrapper):
    plain = zipped({"cat": 2, "dog": 2})
    assert placed(zipped({f"{wrapper}cat": 2, f"{wrapper}dog": 2})) == placed(plain)
    split = zipped({"train/cat": 1, "train/dog": 1, "test/cat": 1, "test/dog": 1})
    wrapped = {f"{wrapper}{name}": 1 for name in ("train/cat", "train/dog", "test/cat", "test/dog")}
    assert placed(zipped(wrapped)) == placed(split)


def test_a_readme_or_a_stray_picture_does_not_hide_the_wrapper(zipped):
    files = tree({"photos/cat": 1, "photos/dog": 1}) | {
        "photos/README.txt": b"hello",
        "photos/all.png": png(90),
    }
    dataset = zipped(files)
    assert dataset.classes == ("cat", "dog")
    reasons = dict(dataset.rejected)
    assert "not a picture" in reasons["README.txt"] and "no class folder" in reasons["all.png"]


def test_a_class_may_be_called_train(zipped):
    assert zipped({"train": 2, "bus": 2}).classes == ("bus", "train")


def test_deeper_folders_belong_to_their_class(zipped):
    assert zipped({"cat/2024/may": 2, "dog": 1}).classes == ("cat", "dog")


def test_differing_class_sets_are_reported(zipped):
    dataset = zipped(
        {
            "train/cat": 2,
            "train/dog": 2,
            "train/emu": 2,
            "test/cat": 1,
            "test/dog": 1,
            "test/fox": 1,
        }
    )
    assert dataset.classes == ("cat", "dog", "emu")
    (notice,) = dataset.notices
    assert "only in train/: 'emu'" in notice and "only in test/, left out: 'fox'" in notice
    assert len(dataset.examples) == 8


def test_pictures_without_class_folders_are_no_dataset(zipped):
    dataset = zipped({"1.png": png(1), "2.png": png(2)})
    assert dataset.classes == () and len(dataset.rejected) == 2


def test_system_litter_is_ignored_without_a_word(zipped):
    litter = [
        "__MACOSX/cat/._0.png",
        "cat/.DS_Store",
        "cat/Thumbs.db",
        ".git/config",
        "dog/desktop.ini",
        "cat/._0.png",
    ]
    dataset = zipped(tree({"cat": 1, "dog": 1}) | dict.fromkeys(litter, b"x"))
    assert len(dataset.examples) == 2 and not dataset.rejected


def test_a_class_without_a_readable_picture_still_counts_as_one(zipped):
    assert zipped(tree({"cat": 1, "dog": 1}) | {"emu/1.jpg": b"broken"}).classes == (
        "cat",
        "dog",
        "emu",
    )


def test_an_empty_class_folder_is_left_out_with_a_line(tmp_path):
    """R1"""
    folder = write_folder(tmp_path / "photos", tree({"cat": 1, "dog": 1}))
    (folder / "emu").mkdir()
    with zipfile.ZipFile(write_zip(tmp_path / "p.zip", tree({"cat": 1, "dog": 1})), "a") as archive:
        archive.mkdir("emu")
    for dataset in (open_dataset(FOLDER, folder), open_dataset(ZIP, tmp_path / "p.zip")):
        assert dataset.classes == ("cat", "dog")
        assert dataset.notices == ("1 empty class folder is left out: 'emu'.",)


def test_a_zip_a_folder_and_an_upload_agree(tmp_path):
    files = tree({"x/train/cat": 2, "x/train/dog": 2, "x/test/cat": 1, "x/test/dog": 1})
    folder = open_dataset(FOLDER, write_folder(tmp_path / "photos", files))
    zipped = write_zip(tmp_path / "key.zip", files)
    for other in (open_dataset(ZIP, zipped), open_dataset(DataSpec("upload", "key"), zipped)):
        assert placed(other) == placed(folder)
        assert {e.digest for e in other.examples} == {e.digest for e in folder.examples}


def test_a_name_means_the_same_from_a_mac_and_from_windows(tmp_path, zipped):
    assert zipped({"train/café": 1, "train/tea": 1, "test/café": 1, "test/tea": 1}).notices == ()
    name = "straße\\1.png".encode().decode("cp437")  # UTF-8 that does not say so, and a backslash
    write_zip(tmp_path / "w.zip", {"aaaa/1.png": png(1), "straxxe/1.png": png(2)})
    raw = (tmp_path / "w.zip").read_bytes().replace(b"straxxe/", "straße\\".encode())
    (tmp_path / "w.zip").write_bytes(raw)
    assert open_dataset(ZIP, tmp_path / "w.zip").classes == ("aaaa", "straße"), name


# hostile folders and zips


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_inside_ones_own_machine_are_followed_but_not_in_a_circle(tmp_path):
    """F7: a linked class folder; links to files as in the cache of huggingface_hub."""
    folder = write_folder(tmp_path / "photos", tree({"cat": 1, "dog": 1}))
    write_folder(tmp_path / "elsewhere", {"s.png": png(50)})
    (folder / "cat" / "out.png").symlink_to(tmp_path / "elsewhere" / "s.png")
    (folder / "cat" / "in.png").symlink_to(folder / "dog" / "0.png")
    (folder / "emu").symlink_to(tmp_path / "elsewhere")
    (folder / "dog" / "round").symlink_to(folder)
    (folder / "cat" / "circle.png").symlink_to(folder / "cat" / "circle.png")
    (folder / "cat" / "dead.png").symlink_to(tmp_path / "gone.png")
    os.mkfifo(folder / "cat" / "pipe.png")
    dataset = open_dataset(FOLDER, folder)
    assert {e.name for e in dataset.examples} == {
        "cat/0.png", "cat/in.png", "cat/out.png", "dog/0.png", "emu/s.png",
    }  # fmt: skip
    reasons = dict(dataset.rejected)
    assert "link to nothing" in reasons["cat/dead.png"] and "cat/circle.png" in reasons
    assert "never end" in reasons["dog/round"] and "regular" in reasons["cat/pipe.png"]


def test_names_that_lead_outside_the_zip_are_rejected(zipped):
    bad = ["../cat/1.png", "cat/../../1.png", "/etc/1.png", "C:/cat/1.png", "..\\cat\\1.png"]
    dataset = zipped(tree({"cat": 1, "dog": 1}) | {name: png(50 + n) for n, name in enumerate(bad)})
    assert len(dataset.examples) == 2 and len(dataset.rejected) == len(bad)
    assert all("leads out" in reason for _, reason in dataset.rejected)


def test_a_name_that_appears_twice_is_taken_once(tmp_path):
    write_zip(tmp_path / "p.zip", tree({"cat": 1, "dog": 1}) | {"cat/1.png": png(7)})
    raw = (tmp_path / "p.zip").read_bytes().replace(b"cat/1.png", b"cat/0.png")
    (tmp_path / "p.zip").write_bytes(raw)
    dataset = open_dataset(ZIP, tmp_path / "p.zip")
    assert len(dataset.examples) == 2 and dataset.rejected == (
        ("cat/0.png", "its name appears twice in the zip."),
    )
    assert dataset.examples[0].read() == png(0)


def lock(path, names=()) -> None:
    """Sets the flag "encrypted" of the named members, in both of their headers."""
    raw = bytearray(path.read_bytes())
    for mark, flags, name in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = raw.find(mark)
        while at >= 0:
            if not names or any(raw[at + name :].startswith(n.encode()) for n in names):
                raw[at + flags] |= 1
            at = raw.find(mark, at + 4)
    path.write_bytes(raw)


def test_a_password_is_told(tmp_path):
    path = write_zip(tmp_path / "p.zip", tree({"cat": 2, "dog": 1}))
    lock(path, ["cat/0.png"])
    dataset = open_dataset(ZIP, path)
    assert (
        dataset.rejected == (("cat/0.png", "locked with a password."),)
        and len(dataset.examples) == 2
    )
    lock(path)
    with pytest.raises(BadData, match="password"):
        open_dataset(ZIP, path)


def test_what_unpacks_to_far_more_than_its_size_is_rejected(zipped):
    bomb = encoded(picture(), "BMP") + bytes(3 * 2**20)
    dataset = zipped(tree({"cat": 1, "dog": 1}) | {"cat/bomb.bmp": bomb})
    assert dataset.rejected == (("cat/bomb.bmp", "unpacks to more than 200 times its size."),)


def test_limits_of_count_and_total(tmp_path, monkeypatch):
    path = write_zip(tmp_path / "p.zip", tree({"cat": 3, "dog": 3}))
    folder = write_folder(tmp_path / "photos", tree({"cat": 3, "dog": 3}))
    monkeypatch.setattr(listing, "MAX_FILES", 5)
    for spec, place in ((ZIP, path), (FOLDER, folder)):
        with pytest.raises(BadData, match="more than 5 files"):
            open_dataset(spec, place)
    monkeypatch.setattr(listing, "MAX_FILES", 50)
    monkeypatch.setattr(archive, "MAX_UNPACKED", 1000)
    with pytest.raises(BadData, match="unpacks to"):
        open_dataset(ZIP, path)


def test_a_directory_larger_than_sane_is_refused_before_it_is_read(tmp_path):
    path = write_zip(tmp_path / "p.zip", tree({"cat": 1, "dog": 1}))
    raw = path.read_bytes()
    end = raw.rfind(b"PK\x05\x06")
    padding = bytes(40 * 2**20)
    size = struct.unpack("<I", raw[end + 12 : end + 16])[0] + len(padding)
    path.write_bytes(
        raw[:end] + padding + raw[end : end + 12] + struct.pack("<I", size) + raw[end + 16 :]
    )
    with pytest.raises(BadData, match="too large"):
        open_dataset(ZIP, path)


def test_a_member_cannot_lie_about_its_size_or_content(tmp_path):
    path = write_zip(tmp_path / "p.zip", tree({"cat": 2, "dog": 1}))
    raw = bytearray(path.read_bytes())
    at = raw.find(b"cat/1.png") + 40
    raw[at : at + 200] = bytes(200)
    path.write_bytes(raw)
    dataset = open_dataset(ZIP, path)
    assert [e.name for e in dataset.examples] == ["cat/0.png", "dog/0.png"]
    assert dict(dataset.rejected).keys() == {"cat/1.png"}


def test_a_zip_in_a_zip_and_a_lying_suffix_are_rejected(tmp_path, zipped):
    inner = write_zip(tmp_path / "inner.zip", tree({"cat": 1})).read_bytes()
    dataset = zipped(
        tree({"cat": 1, "dog": 1})
        | {"cat/more.zip": inner, "dog/note.jpg": b"text", "dog/no.svg": b"<svg/>"}
    )
    reasons = dict(dataset.rejected)
    assert "zip archive" in reasons["cat/more.zip"] and "SVG" in reasons["dog/no.svg"]
    assert "not a picture" in reasons["dog/note.jpg"] and dataset.classes == ("cat", "dog")


@pytest.mark.parametrize(
    "content", [b"", b"not a zip", b"Rar!\x1a\x07\x00", b"PK\x05\x06" + bytes(18)]
)
def test_what_is_no_zip_is_refused_or_empty(tmp_path, content):
    (tmp_path / "p.zip").write_bytes(content)
    try:
        assert open_dataset(ZIP, tmp_path / "p.zip").classes == ()
    except BadData as error:
        assert "not a zip that can be read" in error.sentence and "per class" in error.hint


def test_sentences_hold_no_path_of_this_machine(tmp_path):
    for spec, place in ((ZIP, tmp_path / "none.zip"), (FOLDER, tmp_path / "none")):
        with pytest.raises(BadData) as caught:
            open_dataset(spec, place)
        assert str(tmp_path) not in str(caught.value)
    dataset = open_dataset(
        FOLDER, write_folder(tmp_path / "photos", tree({"cat": 1, "dog": 1}) | {"cat/x": b"x"})
    )
    assert str(tmp_path) not in repr((dataset.title, dataset.examples, dataset.rejected))


# the one door


def test_a_draft_is_a_folder_of_class_folders(tmp_path):
    folder = write_folder(tmp_path / "d", tree({"cup": 2, "plate": 2}))
    assert open_dataset(DataSpec("draft", "d"), folder).classes == ("cup", "plate")
    with pytest.raises(BadData, match="not here any more"):
        open_dataset(DataSpec("draft", "d"))


def test_every_source_is_found_by_itself():
    """One file is all that a source takes: the command line's word, the place and the opening stand
    in its record."""
    assert sources().keys() >= {"bundled", "draft", "folder", "hub", "tar", "upload", "zip"}
    for name, source in sources().items():
        assert source.name == name and source.open.__doc__
    assert {name for name, source in sources().items() if source.local} >= {"folder", "tar", "zip"}


def test_a_new_source_is_one_record(monkeypatch, tmp_path):
    """Its word is understood, its dataset opened, and its public name is the whole name."""
    from peft_demo.data import Dataset
    from peft_demo.data.sources import zip as module

    def open_empty(request: Request) -> Dataset:
        return Dataset(f"the set {request.spec.name}", (), ())

    def parse_own(word: str) -> str | None:
        return word if word.startswith("kaggle:") else None

    monkeypatch.setattr(module, "KAGGLE", Source("kaggle", open_empty, parse_own), raising=False)
    sources.cache_clear()
    try:
        spec, path = parse("kaggle:owner/birds", shots=4)
        assert spec == DataSpec("kaggle", "kaggle:owner/birds", 4) == spec.public() and path is None
        assert open_dataset(spec).title == "the set kaggle:owner/birds"
        assert spec.argument() == "kaggle:owner/birds"
    finally:
        sources.cache_clear()


def test_an_unknown_source_is_a_sentence():
    with pytest.raises(UnknownName, match="no data source 'ftp'"):
        open_dataset(DataSpec("ftp", "somewhere"))


def test_the_hub_is_refused_offline():
    with pytest.raises(NotAllowed, match="network"):
        open_dataset(DataSpec("hub", "owner/name"), offline=True)


def test_what_the_command_line_means(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write_folder(tmp_path / "digits", tree({"cat": 1}))
    write_zip(tmp_path / "my.zip", tree({"cat": 1}))
    (tmp_path / "table.csv").write_text("a,b")
    assert parse("digits", 4, 2) == (DataSpec("bundled", "digits", 4, 2), None)
    assert parse("hf:a/b", image_column="i")[0] == DataSpec("hub", "a/b", image_column="i")
    assert parse("./digits")[0].source == "folder"
    spec, path = parse("my.zip")
    assert spec.source == "zip" and open_dataset(spec, path).classes == open_dataset(
        spec
    ).classes == ("cat",)
    with pytest.raises(UnknownName, match="did you mean 'digits'"):
        parse("digts")
    for word in ("no/such", "none.zip", "table.csv"):
        with pytest.raises(BadData, match=word.split("/")[-1]):
            parse(word)
    with pytest.raises(UnknownName):
        parse("")
