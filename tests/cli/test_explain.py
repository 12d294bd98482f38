"""`explain`: what an answer rests on."""

from io import BytesIO

import pytest
from PIL import Image

from peft_demo.data import shapes


@pytest.fixture
def drawn(tmp_path):
    """A picture of an arrow that points left."""
    file = tmp_path / "arrow.png"
    shapes.draw(shapes.CLASSES.index("left"), 70).save(file)
    return file


def test_a_sentence_numbers_and_a_picture(typed, drawn, tmp_path):
    out = tmp_path / "why.png"
    code, said, _ = typed("explain", "lora-shapes-s0", str(drawn), "--out", str(out))
    lines = said.splitlines()
    assert code == 0 and lines[0].startswith("left, ")
    assert "place" in lines[1]
    numbers = [line.split() for line in lines[3:17]]
    assert [len(row) for row in numbers] == [14] * 14 and float(numbers[6][0]) > 1
    assert Image.open(BytesIO(out.read_bytes())).size == (280, 280)


def test_json_has_everything_but_the_picture(answer, drawn):
    value = answer("explain", "arc-shapes-s0", str(drawn))
    assert value["least"] < value["probability"] and value["words"]
    assert len(value["drops"]) == len(value["drops"][0]) == 14


def test_a_photo_is_not_replaced(typed, drawn, tmp_path):
    before = drawn.read_bytes()
    for out in (drawn, tmp_path / "why.jpg"):
        code, _, err = typed("explain", "arc-shapes-s0", str(drawn), "--out", str(out))
        assert code == 2 and "ends in .png" in err
    assert drawn.read_bytes() == before


def test_what_is_no_picture_is_a_sentence(typed, tmp_path):
    text = tmp_path / "notes.txt"
    text.write_text("no picture")
    code, out, err = typed("explain", "arc-shapes-s0", str(text))
    assert (code, out) == (2, "") and "picture" in err
