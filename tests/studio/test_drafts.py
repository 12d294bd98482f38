import io
import os
import zipfile

import pytest
from PIL import Image

from peft_demo.contracts.errors import BadData, BadImage, BadValue, UnknownName
from peft_demo.data.sources.draft import locate, read_labels
from peft_demo.data.sources.upload import find_zip, keep_zip
from peft_demo.storage import home
from peft_demo.studio.drafts import Drafts


@pytest.fixture
def drafts(tmp_path) -> Drafts:
    return Drafts(home.find_home(tmp_path / "home"))


@pytest.fixture
def pictures(tmp_path):
    def make(*shades: int):
        for shade in shades:
            Image.new("RGB", (8, 8), (shade, 0, 0)).save(tmp_path / f"{shade}.png")
        return [tmp_path / f"{shade}.png" for shade in shades]

    return make


def test_put_makes_the_class_hold_exactly_these(drafts, pictures):
    first = drafts.put("me", "cup", pictures(1, 2))
    assert drafts.put("me", "cup", pictures(1, 2)) == first, "the same again changes nothing"
    assert drafts.classes("me") == {"cup": first}
    kept = drafts.put("me", "cup", pictures(2, 3))
    assert kept[0] == first[1] and len(kept) == 2
    with pytest.raises(UnknownName):
        drafts.image("me", first[0])
    assert drafts.put("me", "cup", []) == ()
    assert drafts.classes("me") == {"cup": ()}


def test_pictures_come_back_and_may_be_put_again(drafts, pictures):
    (key,) = drafts.put("me", "cup", pictures(9))
    shown = drafts.image("me", key)
    assert shown.read_bytes() == pictures(9)[0].read_bytes()
    assert shown.is_relative_to(drafts.home.tmp)
    assert drafts.put("me", "cup", [shown, *pictures(10)])[0] == key


def test_the_ending_follows_the_content(drafts, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "photo.exe", "JPEG")
    assert drafts.put("me", "cup", [tmp_path / "photo.exe"])[0].endswith(".jpg")


def test_a_bad_picture_is_named_and_the_others_are_kept(drafts, pictures, tmp_path):
    (tmp_path / "bad.png").write_bytes(b"no picture")
    with pytest.raises(BadImage, match=r"1 of 2 pictures could not be read: bad\.png"):
        drafts.put("me", "cup", [*pictures(1), tmp_path / "bad.png"])
    assert len(drafts.classes("me")["cup"]) == 1


def test_rename_and_drop(drafts, pictures):
    keys = drafts.put("me", "cup", pictures(1))
    drafts.put("me", "plate", pictures(2))
    drafts.rename("me", "cup", "mug")
    assert list(drafts.classes("me")) == ["mug", "plate"] and drafts.classes("me")["mug"] == keys
    with pytest.raises(BadValue, match="already"):
        drafts.rename("me", "mug", "plate")
    with pytest.raises(UnknownName):
        drafts.rename("me", "cup", "x")
    drafts.drop("me", "mug")
    drafts.drop("me", "mug")
    assert list(drafts.classes("me")) == ["plate"]


@pytest.mark.parametrize("draft", ["../x", "/etc", "", "a/b", "..", "x" * 65, "a b"])
def test_a_draft_is_an_id_never_a_path(drafts, pictures, draft):
    with pytest.raises(UnknownName, match="no draft"):
        drafts.put(draft, "cup", pictures(1))
    with pytest.raises(UnknownName):
        drafts.classes(draft)


@pytest.mark.parametrize("key", ["../1.png", "/etc/passwd", "", ".order.json", ".labels.json"])
def test_a_picture_is_a_key_never_a_path(drafts, pictures, key):
    drafts.put("me", "cup", pictures(1))
    with pytest.raises(UnknownName, match="no picture"):
        drafts.image("me", key)


@pytest.mark.parametrize(
    "label", ["7/8", "..", "con", "<img src=x onerror=alert(1)>", "été", ".hidden", "train"]
)
def test_a_class_may_be_called_anything_printable(drafts, pictures, label):
    drafts.put("me", label, pictures(1))
    folder = locate("me", drafts.home)
    assert read_labels(folder) == {"1": label}
    assert len(os.listdir(folder / "1")) == 2  # the picture and its order
    assert list(drafts.classes("me")) == [label]


@pytest.mark.parametrize("label", ["", "  ", "x" * 101, "a\x00b", "\x1b[31m"])
def test_but_not_nothing_or_control_characters(drafts, pictures, label):
    with pytest.raises(BadValue):
        drafts.put("me", label, pictures(1))


def test_an_empty_draft_says_what_to_do(drafts):
    with pytest.raises(BadData, match="no pictures"):
        locate("me", drafts.home)


def test_a_zip_is_kept_once_under_a_key(drafts, tmp_path):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("a/1.png", b"x")
    (tmp_path / "My Photos!.zip").write_bytes(content.getvalue())
    key = keep_zip(drafts.home, tmp_path / "My Photos!.zip")
    assert key == keep_zip(drafts.home, tmp_path / "My Photos!.zip")
    assert (
        key.startswith("my-photos-")
        and find_zip(drafts.home, key).read_bytes() == content.getvalue()
    )
    for bad in ("../" + key, "nope.zip", str(tmp_path / "My Photos!.zip"), ""):
        with pytest.raises(UnknownName, match="no upload"):
            find_zip(drafts.home, bad)
    (tmp_path / "no.zip").write_bytes(b"hello")
    with pytest.raises(BadData, match="not a zip"):
        keep_zip(drafts.home, tmp_path / "no.zip")


@pytest.mark.parametrize("share", [0.99, 0.5, 0.1])
def test_a_zip_of_which_a_part_arrived_is_cut_off(drafts, tmp_path, share):
    file = tmp_path / "half.zip"
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a/1.png", b"x" * 1000)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(BadData, match=r"half\.zip is cut off: its end is missing\."):
        keep_zip(drafts.home, file)


def test_an_empty_file_is_called_empty(drafts, tmp_path):
    (tmp_path / "nothing.zip").write_bytes(b"")
    with pytest.raises(BadData, match=r"nothing\.zip is empty"):
        keep_zip(drafts.home, tmp_path / "nothing.zip")
