import io
from contextlib import suppress

import numpy as np
import pytest
from pictures import COLOURS, encoded, picture, quarters
from PIL import Image

from peft_demo.contracts.errors import BadImage
from peft_demo.data import decode, images, thumbnail

UPSIDE_DOWN = 3
TURNED = 6


def corners(image: Image.Image) -> list[tuple[int, int, int]]:
    right = image.width - 2
    bottom = image.height - 2
    return [image.getpixel(at) for at in ((1, 1), (right, 1), (1, bottom), (right, bottom))]


def near(one, other, tolerance: int = 12) -> bool:
    return bool(np.abs(np.array(one, dtype=int) - np.array(other, dtype=int)).max() <= tolerance)


def with_exif(orientation: int) -> bytes:
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010E] = "the secret place"
    return encoded(quarters(), "JPEG", exif=exif, quality=95, subsampling=0)


def test_a_phone_photo_is_turned_upright():
    red, green, blue, yellow = COLOURS
    assert near(corners(decode(with_exif(UPSIDE_DOWN))), [yellow, blue, green, red])
    turned = decode(with_exif(TURNED))
    assert turned.size == (20, 40) and near(corners(turned), [blue, red, yellow, green])


def test_metadata_stays_behind():
    image = decode(with_exif(TURNED))
    assert not image.info and not image.getexif()
    assert b"secret" in with_exif(TURNED) and b"secret" not in thumbnail(image)
    profiled = decode(encoded(picture(), "PNG", icc_profile=b"a secret profile"))
    assert b"secret" not in thumbnail(profiled) and not profiled.info


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_unreadable_exif_does_not_make_a_bad_picture():
    assert near(
        corners(
            decode(encoded(quarters(), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff", quality=95))
        ),
        COLOURS,
        40,
    )


def test_cmyk_grey_and_black_and_white_become_rgb():
    for mode, kind, tolerance in (
        ("CMYK", "JPEG", 40),
        ("L", "PNG", 255),
        ("1", "PNG", 255),
        ("YCbCr", "JPEG", 40),
    ):
        image = decode(encoded(quarters().convert(mode), kind))
        assert image.mode == "RGB" and near(corners(image), COLOURS, tolerance), mode


def test_sixteen_bit_greys_are_scaled_not_clipped():
    values = np.array([[0, 6425], [32896, 65535]], dtype=np.uint16).repeat(4, 0).repeat(4, 1)
    image = decode(encoded(Image.fromarray(values), "PNG"))
    assert corners(image) == [(v, v, v) for v in (0, 25, 128, 255)]


def test_float_and_32_bit_greys_are_scaled_by_their_range():
    for values in (
        np.array([[0, 0.25], [0.5, 1]], np.float32),
        np.array([[0, 16384], [32768, 65535]], np.int32),
    ):
        image = decode(encoded(Image.fromarray(values.repeat(4, 0).repeat(4, 1)), "TIFF"))
        assert near(corners(image), [(v, v, v) for v in (0, 64, 128, 255)], 1)


def test_of_an_animation_the_first_frame_is_taken():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for kind in ("GIF", "WEBP"):
        data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
        assert near(decode(data).getpixel((4, 4)), (255, 0, 0), 8), kind


def test_transparency_becomes_white():
    clear = Image.new("RGBA", (8, 8), (255, 0, 0, 0))
    half = Image.new("RGBA", (8, 8), (0, 0, 0, 128))
    palette = Image.new("P", (8, 8), 0)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    assert decode(encoded(clear)).getpixel((4, 4)) == (255, 255, 255)
    assert near(decode(encoded(half)).getpixel((4, 4)), (127, 127, 127), 1)
    assert decode(encoded(palette, transparency=0)).getpixel((4, 4)) == (255, 255, 255)
    assert decode(encoded(palette)).getpixel((4, 4)) == (0, 0, 0)


def test_a_path_a_picture_and_bytes_give_the_same(tmp_path):
    data = encoded(quarters())
    (tmp_path / "one.png").write_bytes(data)
    with Image.open(io.BytesIO(data)) as opened:
        assert decode(tmp_path / "one.png") == decode(data) == decode(opened)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "GIF", "WEBP", "TIFF"])
def test_a_truncated_picture_is_refused_in_a_sentence(kind):
    data = encoded(picture(side=64), kind)
    with pytest.raises(BadImage, match=r"cut off|damaged|not a picture"):
        decode(data[: len(data) // 2])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "empty"),
        (b"just some text, named .jpg", "not a picture"),
        (b'<svg xmlns="http://www.w3.org/2000/svg"/>', "SVG"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC"),
        (b"<!DOCTYPE html><title>404</title>", "web page"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), r"damaged|not a picture"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "not a picture"),
    ],
)
def test_what_is_no_picture_is_refused_in_a_sentence(data, sentence):
    with pytest.raises(BadImage, match=sentence):
        decode(data)


def test_a_decompression_bomb_is_refused_before_it_is_decoded(monkeypatch):
    bomb = encoded(Image.new("1", (9000, 9000)))
    assert len(bomb) < 20_000
    monkeypatch.setattr(Image.Image, "load", lambda self: pytest.fail("it was decoded"))
    with pytest.raises(BadImage, match="9000 × 9000 pixels"):
        decode(bomb)


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("side", [12_000, 60_000])
def test_a_bomb_that_only_claims_its_size_is_refused_too(side):
    header = encoded(Image.new("L", (8, 8)), "BMP")
    claimed = header[:18] + side.to_bytes(4, "little") * 2 + header[26:]
    with pytest.raises(BadImage, match="pixels"):
        decode(claimed)


def test_too_many_bytes_are_refused_before_they_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(images, "MAX_BYTES", 100)
    (tmp_path / "large.png").write_bytes(encoded(picture()))
    for source in (tmp_path / "large.png", encoded(picture())):
        with pytest.raises(BadImage, match="MB"):
            decode(source)


@pytest.mark.filterwarnings("ignore::UserWarning")
def test_bytes_flipped_anywhere_never_raise_anything_but_a_sentence():
    rng = np.random.default_rng(0)
    for kind in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        data = np.frombuffer(encoded(picture(side=16), kind), dtype=np.uint8)
        for _ in range(60):
            broken = data.copy()
            broken[rng.integers(0, len(data), 4)] = rng.integers(0, 256, 4)
            with suppress(BadImage):
                assert decode(broken.tobytes()).mode == "RGB"
