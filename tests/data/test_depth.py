"""Pictures deeper than 8 bits: which range of values becomes black to white (F8, F9)."""

from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest
from pictures import (
    encoded,
    png,
    png_of_16_bits,
    scaled,
    tiff_of_16_bits,
    tree,
    twelve_bits,
    write_zip,
)
from PIL import Image

from peft_demo.contracts.specs import DataSpec
from peft_demo.contracts.window import Window
from peft_demo.data import decode, open_dataset, report_of, split
from peft_demo.data.depth import Levels, choose_values, levels_of, range_of_one

TWELVE = Window((0, 4095))


def levels(low: float, high: float, whole: bool = True) -> Levels:
    return Levels(low, high, whole)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ([levels(0, 200)], (0, 255)),
        ([levels(0, 900), levels(3, 700)], (0, 1023)),
        ([levels(0, 300), levels(0, 4000)], (0, 4095)),
        ([levels(10, 65000)], (0, 65535)),
        ([levels(-1000, 400), levels(-20, 3000)], (-1000, 3000)),  # CT
        ([levels(30000, 30400)], (30000, 30400)),  # all of it in a small part of the range
        ([levels(500, 500)], (500, 501)),
        ([levels(0, 200000)], (0, 200000)),
        ([levels(0.0, 0.9, False)], (0, 1)),
        ([levels(0.0, 1.02, False)], (0, 1)),
        ([levels(0.0, 250.5, False)], (0, 255)),
        ([levels(-0.4, 0.5, False)], (-0.4, 0.5)),
        ([levels(0.0, 1e-3, False)], (0, 1e-3)),
        ([], ()),
    ],
)
def test_one_range_suits_all_training_pictures(seen, expected):
    """F8, F9"""
    assert choose_values(seen) == expected


def test_hot_pixels_and_what_is_no_number_do_not_stretch_the_range():
    values = np.full((100, 100), 2000, dtype=np.uint16)
    values[0, :5] = 65535
    assert levels_of(values) == levels(2000, 2000)
    fractions = np.linspace(0, 1, 10_000, dtype=np.float32)
    fractions[:3] = np.nan, np.inf, -np.inf
    seen = levels_of(fractions)
    assert seen and 0 <= seen.low < 0.01 and 0.99 < seen.high <= 1 and not seen.whole
    assert levels_of(np.full(3, np.nan)) is None


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (np.linspace(0, 4095, 500).astype(np.uint16), (0, 4095)),
        (np.linspace(0, 60000, 500).astype(np.uint16), (0, 65535)),
        (np.linspace(1000, 1200, 500).astype(np.uint16), (0, 2047)),  # dim, and it stays dim
        (np.array([-1000, -1000, 3000, 3000]), (-1000, 3000)),
        (np.linspace(0, 1.02, 500).astype(np.float32), (0, 1)),
        (np.full(4, np.nan, dtype=np.float32), (0, 1)),
    ],
)
def test_a_picture_by_itself_has_the_usual_range_around_it(values, expected):
    """F8, F9: asked of an adapter that knows no window."""
    assert range_of_one(values) == expected


def grey(values: np.ndarray) -> np.ndarray:
    return values[:, :, :1]


def with_alpha(values: np.ndarray) -> np.ndarray:
    return np.concatenate([values, np.full_like(grey(values), 65535)], axis=2)


FILES = {
    "grey PNG": lambda v: png_of_16_bits(grey(v)),
    "grey and alpha PNG": lambda v: png_of_16_bits(with_alpha(grey(v))),
    "colour PNG": png_of_16_bits,
    "colour and alpha PNG": lambda v: png_of_16_bits(with_alpha(v)),
    "grey TIFF": lambda v: encoded(Image.fromarray(v[:, :, 0]), "TIFF"),
    "colour TIFF": tiff_of_16_bits,
    "colour TIFF, big endian": lambda v: tiff_of_16_bits(v, ">"),
    "colour TIFF, turned": lambda v: tiff_of_16_bits(np.rot90(v), turned=6),
    "float TIFF": lambda v: encoded(Image.fromarray(v[:, :, 0].astype(np.float32)), "TIFF"),
}


@pytest.mark.parametrize("window", [TWELVE, Window()], ids=["window", "by itself"])
@pytest.mark.parametrize("kind", FILES)
def test_twelve_bits_in_sixteen_are_read_as_scaled_beforehand(kind, window):
    """F8: every pixel, in grey and in colour, with and without transparency."""
    if kind == "float TIFF" and not window.values:
        pytest.skip("fractions and whole numbers look alike there")
    values = twelve_bits()
    pixels = np.asarray(decode(FILES[kind](values), window))
    expected = scaled(values)
    if "colour" not in kind:
        expected = expected[:, :, [0, 0, 0]]
    assert np.array_equal(pixels, expected)


def test_a_window_leaves_pictures_of_8_bits_alone_unless_it_is_meant_for_them():
    photo = png(1)
    assert decode(photo, TWELVE) == decode(photo)
    labels = encoded(Image.fromarray(np.array([[0, 3], [6, 9]], dtype=np.uint8)))
    seen = np.asarray(decode(labels, Window((0, 9))))[:, :, 0]
    assert seen.tolist() == [[0, 85], [170, 255]]


def deep_tree(count: int = 6) -> dict[str, bytes]:
    """Two classes of pictures of 12 bits."""
    return {
        f"{name}/{n}.png": png_of_16_bits(twelve_bits(100 * label + n))
        for label, name in enumerate(("cat", "dog"))
        for n in range(count)
    }


def test_a_dataset_has_one_window_and_says_so(zipped):
    """F8"""
    dataset = zipped(deep_tree())
    chosen = split(dataset, 2, 0)
    assert chosen.window == TWELVE and chosen.windowed == chosen.train
    assert any("from 0 to 4095" in notice for notice in chosen.notices)
    report = report_of(dataset, chosen)
    assert report.window == TWELVE and len(report.comparisons) == 4
    before, after = (np.asarray(Image.open(BytesIO(p))) for p in report.comparisons[0])
    assert before.mean() < 20 < 100 < after.mean()  # as other programs show it, and as it is read


def test_the_training_pictures_choose_the_window_and_a_person_has_the_last_word(zipped, tmp_path):
    files = deep_tree() | {f"test/{name}": content for name, content in deep_tree().items()}
    path = write_zip(tmp_path / "p.zip", files)
    said = open_dataset(DataSpec("zip", str(path), window=(0, 1000), ground="black"))
    assert split(said, 2, 0).window == Window((0, 1000), "black")


def test_plain_pictures_have_no_window(zipped):
    chosen = split(zipped(tree({"cat": 5, "dog": 5})), 2, 0)
    assert chosen.window == Window() and not chosen.windowed


def test_a_picture_that_the_window_makes_blank_is_a_doubt(zipped):
    """One dim picture of many: it is named before training."""
    dim = {"cat/0.png": png_of_16_bits(twelve_bits(7) // 10)}
    dataset = replace(zipped(deep_tree(8) | dim), window=Window((2000, 4095)))
    chosen = split(dataset, 6, 0)
    names = [example.name for example in (*chosen.train, *chosen.val, *chosen.test)]
    assert "cat/0.png" in names and not chosen.problem
    assert "1 picture blank" in chosen.doubt and "'cat/0.png'" in chosen.doubt


def test_pictures_that_fill_little_of_the_window_are_told(tmp_path):
    """A set that mixes 12 and 16 bits, both in files of 16."""
    files = deep_tree()
    mixed = {
        name: png_of_16_bits(twelve_bits(n)[..., :1] * (16 if "cat" in name else 1))
        for n, name in enumerate(files)
    }
    archive = write_zip(tmp_path / "mixed.zip", mixed)
    chosen = split(open_dataset(DataSpec("zip", "mixed.zip"), archive), 2, 0)
    told = [notice for notice in chosen.notices if "few grey levels" in notice]
    assert len(told) == 1 and "--window 0,4095" in told[0]
    few = [e for e in (*chosen.train, *chosen.val, *chosen.test) if "cat" not in e.name]
    assert told[0].startswith(f"{len(few)} pictures")
    alike = write_zip(tmp_path / "alike.zip", files)
    same = split(open_dataset(DataSpec("zip", "alike.zip"), alike), 2, 0)
    assert "few grey levels" not in " ".join(same.notices)
