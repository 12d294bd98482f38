"""What a few kilobytes may cost: no large picture stays whole, and the sum is bounded."""

import io
import struct
import threading
import zlib
from time import sleep

import numpy as np
import pytest
from pictures import COLOURS, encoded, picture, png, quarters, write_zip
from PIL import Image

from peft_demo.contracts.errors import BadData, BadImage
from peft_demo.contracts.specs import DataSpec
from peft_demo.contracts.window import Window
from peft_demo.data import decode, images, open_dataset, pixels, split
from peft_demo.data.few_shot_tensors import few_shot_tensors
from peft_demo.data.images import open_header
from peft_demo.data.tiff import count_pieces

MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F")


def shade(image: Image.Image, mode: str) -> Image.Image:
    """The picture in this mode, its values filling the mode's usual range."""
    if mode == "I;16":
        grey = np.asarray(image.convert("L"), dtype=np.uint16)
        return Image.fromarray(grey * 257)
    if mode in "IF":
        grey = np.asarray(image.convert("L"))
        return Image.fromarray(grey.astype(np.int32 if mode == "I" else np.float32))
    return image.convert(mode)


@pytest.mark.parametrize("mode", MODES)
def test_a_large_picture_of_any_mode_looks_the_same_but_smaller(mode, monkeypatch):
    content = encoded(shade(quarters(80, 40), mode), "TIFF")
    whole = decode(content)
    monkeypatch.setattr(pixels, "LARGE", 1000)
    small = decode(content)
    assert (whole.size, small.size) == ((80, 40), (40, 20))
    expected = np.asarray(whole.resize((40, 20), Image.Resampling.BOX), dtype=int)
    assert np.abs(expected - np.asarray(small, dtype=int)).max() <= 3


def test_a_large_png_of_16_bits_a_colour_is_read_at_reduced_scale(monkeypatch):
    values = np.array(quarters(80, 40), dtype=np.uint16)
    content = _png_of_16_bits(values * 16)
    monkeypatch.setattr(pixels, "LARGE", 1000)
    small = decode(content, Window((0.0, 4095.0)))
    assert small.size == (40, 20)
    assert np.abs(np.asarray(small, dtype=int)[1, 1] - COLOURS[0]).max() <= 1


def _png_of_16_bits(values: np.ndarray) -> bytes:
    height, width, _ = values.shape
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 16, 2, 0, 0, 0)
    parts = (b"IHDR", header), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in parts)


def test_a_photo_of_108_million_pixels_is_read(monkeypatch):
    """R6: phones take such photos. The decoder makes the smaller one at once."""
    photo = encoded(quarters(12_000, 9_000), "JPEG")
    loaded = []
    whole_load = Image.Image.load
    monkeypatch.setattr(
        Image.Image, "load", lambda self: (loaded.append(self.size), whole_load(self))[1]
    )
    image = decode(photo)
    assert image.size == (3000, 2250)
    assert max(width * height for width, height in loaded) <= pixels.LARGE
    assert np.abs(np.array(image.getpixel((2, 2))) - COLOURS[0]).max() < 12


def test_a_turned_photo_is_turned_after_it_was_made_smaller(monkeypatch):
    exif = Image.Exif()
    exif[0x0112] = 6
    content = encoded(quarters(80, 40), "JPEG", exif=exif, quality=95)
    monkeypatch.setattr(pixels, "LARGE", 1000)
    assert decode(content).size == (20, 40)


def test_what_cannot_be_reduced_while_it_is_decoded_has_a_lower_limit(monkeypatch):
    progressive = encoded(Image.new("L", (64, 64)), "JPEG", progressive=True)
    frame = progressive.index(b"\xff\xc2") + 5  # height and width follow
    claimed = progressive[:frame] + (9000).to_bytes(2) * 2 + progressive[frame + 4 :]
    with pytest.raises(BadImage, match="at most 80 million"):
        open_header(claimed)
    monkeypatch.setattr(pixels, "LARGE", 1000)
    slow = encoded(Image.new("L", (40, 40)), "JPEG2000")
    with pytest.raises(BadImage, match="40 × 40 pixels"):
        open_header(slow)


def test_a_progressive_jpeg_of_thousands_of_scans_is_refused():
    """Each scan is a few bytes and goes over the whole picture."""
    content = encoded(picture(side=64), "JPEG", progressive=True)
    last = content.rindex(b"\xff\xda")
    bomb = content[:-2] + content[last:-2] * pixels.MAX_SCANS + b"\xff\xd9"
    assert decode(content).size == (64, 64)
    with pytest.raises(BadImage, match="more than 100 scans"):
        decode(bomb)


@pytest.mark.parametrize("order", ["<", ">"])
def test_a_tiff_of_millions_of_strips_is_refused_before_they_are_listed(order, monkeypatch):
    """Pillow takes minutes for five million."""
    entries = [(256, 4, 1, 8), (257, 4, 1, 5_000_000), (273, 4, 5_000_000, 8)]
    table = struct.pack(f"{order}H", 3)
    table += b"".join(struct.pack(f"{order}HHII", *entry) for entry in entries)
    bomb = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8) + table
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("it was opened"))
    with pytest.raises(BadImage, match="more than 70,000 pieces"):
        open_header(bomb)


def test_pieces_of_a_tiff_are_counted():
    sound = encoded(picture(side=64), "TIFF", compression="tiff_lzw")
    assert count_pieces(io.BytesIO(sound)) == len(Image.open(io.BytesIO(sound)).tag_v2[273])
    assert count_pieces(io.BytesIO(png())) == count_pieces(io.BytesIO(b"II*\0")) == 0


def test_one_large_picture_is_decoded_at_a_time(monkeypatch):
    monkeypatch.setattr(pixels, "LARGE", 100)
    inside = []
    most = []
    plain = images._plain

    def slow(image, window):
        inside.append(image)
        most.append(len(inside))
        sleep(0.02)
        inside.pop()
        return plain(image, window)

    monkeypatch.setattr(images, "_plain", slow)
    threads = [threading.Thread(target=decode, args=(png(n),)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1] * 4


def test_the_pictures_of_a_dataset_have_a_budget(tmp_path):
    """A sentence, before anything is decoded that is beyond it; the same picture counts once."""
    files = {f"{label}/{n}.png": png(n + 10 * (label == "b")) for label in "ab" for n in range(4)}
    path = write_zip(tmp_path / "set.zip", files)
    spec = DataSpec("zip", str(path), shots=2)
    enough = open_dataset(spec, most_pixels=8 * 24 * 24)
    few_shot_tensors(split(enough, 2, 0), 24)
    with pytest.raises(BadData, match="million pixels together") as caught:
        split(open_dataset(spec, most_pixels=5 * 24 * 24), 2, 0)
    assert "smaller" in caught.value.hint
