"""Names that are no UTF-8: read, shown, and never merged (F5, F6)."""

import os
import zipfile

import pytest
from pictures import arranged, named, png, write_zip

from peft_demo.contracts.errors import BadValue
from peft_demo.contracts.specs import DataSpec
from peft_demo.data import open_dataset
from peft_demo.data.encodings import check_encoding, detect

WORDS = {
    "gb18030": ("猫", "狗", "鸟类", "其他"),
    "cp932": ("ねこ", "犬", "トリ", "その他"),
    "cp949": ("고양이", "강아지", "새"),
    "big5": ("貓咪", "小狗", "鳥類", "其他"),
    "cp1252": ("Kätzchen", "Vögel", "straße"),
    "cp1251": ("кошки", "собаки", "птицы"),
    "cp866": ("Кошка", "Собака"),
}


@pytest.mark.parametrize("encoding", WORDS)
def test_the_encodings_that_people_meet_are_told_apart(encoding):
    raws = [word.encode(encoding) for word in WORDS[encoding]]
    chosen = detect(raws)
    assert [raw.decode(chosen) for raw in raws] == list(WORDS[encoding])


def test_what_no_ranked_encoding_reads_is_left_to_the_detector():
    greek = [word.encode("cp1253") for word in ("γάτα", "σκύλος", "πουλί", "άλογο", "ψάρι")]
    chosen = detect(greek)
    assert chosen and all(raw.decode(chosen) for raw in greek)
    assert detect([b"\xff\xfe\x81\x8d\x8f"]) == "" or isinstance(detect([b"\x81"]), str)


def test_an_unknown_encoding_is_a_sentence():
    assert check_encoding("GBK") == "gbk"
    with pytest.raises(BadValue, match="no encoding 'klingon'"):
        check_encoding("klingon")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
@pytest.mark.parametrize("encoding", ["gb18030", "cp1252"])
def test_folders_unpacked_on_linux(tmp_path, encoding):
    """F5: two classes stay two."""
    words = WORDS[encoding][:2]
    for number, word in enumerate(words):
        folder = os.fsencode(tmp_path) + b"/set/" + word.encode(encoding)
        os.makedirs(folder)
        with open(folder + b"/1.png", "wb") as file:
            file.write(png(number))
    dataset = open_dataset(DataSpec("folder", "set"), tmp_path / "set")
    assert set(dataset.classes) == set(words) and len(dataset.examples) == 2
    (notice,) = dataset.notices
    assert f"read as {encoding}" in notice and words[0] in notice
    other = open_dataset(DataSpec("folder", "set", encoding="cp437"), tmp_path / "set")
    assert len(other.classes) == 2 and set(other.classes) != set(words)


@pytest.mark.parametrize("encoding", ["gb18030", "cp932", "cp437"])
def test_a_zip_of_windows_without_the_flag(tmp_path, encoding):
    """F6"""
    words = WORDS.get(encoding, ("Kätzchen", "Vögel"))[:2]
    raws = [word.encode(encoding) for word in words]
    stand_ins = [bytes([65 + n]) * len(raw) for n, raw in enumerate(raws)]
    path = write_zip(
        tmp_path / "p.zip", {f"{s.decode()}/1.png": png(n) for n, s in enumerate(stand_ins)}
    )
    content = path.read_bytes()
    for stand_in, raw in zip(stand_ins, raws, strict=True):
        content = content.replace(stand_in + b"/1.png", raw + b"/1.png")
    path.write_bytes(content)
    dataset = open_dataset(
        DataSpec("zip", "p.zip", encoding=encoding if encoding == "cp437" else ""), path
    )
    assert set(dataset.classes) == set(words)
    assert zipfile.is_zipfile(path) and f"read as {encoding}" in dataset.notices[0]


def lone(word: str, encoding: str) -> str:
    """A name as a source hands it on: bytes that are no UTF-8 as lone surrogates."""
    return word.encode(encoding).decode("utf-8", "surrogateescape")


def test_other_encodings_are_offered():
    names = named({lone("猫", "gb18030"): 2, lone("狗", "gb18030"): 2})
    dataset = arranged(names)
    assert any("--encoding" in a.flags and "names read as" in a.text for a in dataset.alternatives)


def test_names_that_nobody_reads_keep_their_bytes():
    raws = (b"\x81\x8d\xff", b"\x81\x8d\xfe")
    names = named({raw.decode("utf-8", "surrogateescape"): 1 for raw in raws})
    dataset = arranged(names, encoding="ascii")
    assert len(dataset.classes) == 2 and all("\\x81" in name for name in dataset.classes)
    assert dataset.notices


def test_folders_that_look_the_same_are_one_with_a_line():
    """A Mac writes é as two characters."""
    dataset = arranged(named({"café": 1, "cafe\u0301": 1, "tea": 1}))
    assert set(dataset.classes) == {"café", "tea"} and len(dataset.examples) == 3
    assert any("are read as one" in notice for notice in dataset.notices)
