"""`predict` on many pictures: folders, patterns, archives, a damaged one, a table of answers."""

import csv
from zipfile import ZipFile

import pytest
from PIL import Image

ADAPTER = "lora-digits-s0"


@pytest.fixture
def pictures(tmp_path):
    """good.png, bad.png (cut off), both in photos.zip; folder/ with 2.png, 10.png, notes.txt."""
    root = tmp_path / "pictures"
    (root / "folder").mkdir(parents=True)
    for name in ("good.png", "folder/10.png", "folder/2.png"):
        Image.effect_noise((64, 64), 60).save(root / name)
    content = (root / "good.png").read_bytes()
    (root / "bad.png").write_bytes(content[:900])
    (root / "folder" / "notes.txt").write_text("not a picture")
    with ZipFile(root / "photos.zip", "w") as archive:
        archive.write(root / "good.png", "inside/good.png")
        archive.write(root / "bad.png", "inside/bad.png")
    return root


def test_one_damaged_among_many_is_a_row_with_its_reason(answer, pictures):
    """F22: there was no answer for the good ones."""
    good, bad = pictures / "good.png", pictures / "bad.png"
    first, damaged, last = answer("predict", ADAPTER, good, bad, good)
    assert first["label"] == last["label"] and first["refusal"] == ""
    assert damaged["label"] is None and damaged["top"] == []
    assert "cut off or damaged" in damaged["refusal"]


def test_csv_replaces_no_photo(typed, pictures):
    """F22: `predict ADAPTER *.png --csv` with the name of the table left out."""
    photo = pictures / "good.png"
    before = photo.read_bytes()
    code, _, err = typed("predict", ADAPTER, pictures / "bad.png", "--csv", photo)
    assert code == 2 and "is left as it is" in err
    assert photo.read_bytes() == before


def test_a_folder_a_pattern_and_a_zip(answer, pictures):
    """R11: a folder was "Is a directory"."""
    words = [pictures / "folder", pictures / "*.png", pictures / "photos.zip"]
    names = [a["image"].removeprefix(f"{pictures}/") for a in answer("predict", ADAPTER, *words)]
    assert names == [
        "folder/2.png",
        "folder/10.png",
        "bad.png",
        "good.png",
        "photos.zip/inside/bad.png",
        "photos.zip/inside/good.png",
    ]


def test_it_fails_only_if_nothing_is_answered(typed, pictures):
    code, out, _ = typed("predict", ADAPTER, pictures / "bad.png", pictures / "nowhere*.jpg")
    assert code == 1 and out.count("no answer") == 2
    assert "no file matches this pattern" in out
    code, out, _ = typed("predict", ADAPTER, pictures / "nowhere.png", pictures / "good.png")
    assert code == 0 and "No such file" in out


def test_answers_as_a_table(typed, pictures, tmp_path):
    """R11: answers as a table."""
    file = tmp_path / "deep" / "answers.csv"
    words = [pictures / "good.png", pictures / "bad.png", "--csv", file, "--top", 3]
    code, out, err = typed("predict", ADAPTER, *words)
    assert code == 0 and "2 pictures, 1 without an answer" in out and "classifying" in err
    with file.open(newline="", encoding="utf-8") as lines:
        good, bad = csv.DictReader(lines)
    assert list(good) == [
        "file",
        "answer",
        "probability",
        "answer 2",
        "probability 2",
        "answer 3",
        "probability 3",
        "doubt",
        "none of these",
        "reason",
    ]
    assert good["file"] == str(pictures / "good.png") and good["reason"] == ""
    assert float(good["probability"]) >= float(good["probability 2"])
    assert bad["answer"] == "" and "cut off" in bad["reason"]


def test_a_table_that_cannot_be_written_is_said_at_once(typed, pictures):
    code, out, err = typed("predict", ADAPTER, pictures / "good.png", "--csv", pictures)
    assert code == 2 and out == "" and err.count("\n") == 1
