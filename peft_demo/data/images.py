"""The one decoder: whatever people drop on the page becomes an upright RGB picture, or a sentence."""

import io
from functools import cache
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

from ..contracts.errors import BadImage

MAX_BYTES = 50 * 2**20
"""Of one encoded picture."""
MAX_PIXELS = 80_000_000
"""Of one decoded picture: 240 MB in RGB. Below the size from which Pillow itself warns."""
THREADS = 4
"""Pillow decodes outside the interpreter's lock. Not more at once: each may hold a picture of `MAX_PIXELS`."""

# Formats whose decoders need no other program: EPS, for one, would start Ghostscript on a stranger's file.
_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")

_LOOKS_LIKE = (
    (b"ftypheic", "an HEIC photo; save it as JPEG"),
    (b"ftypheix", "an HEIC photo; save it as JPEG"),
    (b"ftypmif1", "an HEIC photo; save it as JPEG"),
    (b"<svg", "an SVG drawing; save it as PNG"),
    (b"<!DOCTYPE", "a web page"),
    (b"<html", "a web page"),
    (b"%PDF", "a PDF"),
    (b"PK\x03\x04", "a zip archive"),
)


def decode(source: bytes | Path | Image.Image) -> Image.Image:
    """An upright RGB picture without metadata, at its own size; of an animation the first frame.

    Transparency becomes white, 16-bit greys are scaled to 8. Raises `BadImage`, a sentence, for whatever is too large
    (checked before anything is decoded), cut off, damaged or no picture.
    """
    try:
        return _plain(open_header(source))
    except BadImage:
        raise
    except (EOFError, OSError) as error:
        raise BadImage(f"this picture is cut off or damaged ({_first_line(error)}).") from None
    except Exception as error:  # decoders meet hostile bytes: any of them may raise anything
        raise BadImage(f"this picture is damaged ({_first_line(error)}).") from None


def open_header(source: bytes | Path | Image.Image | BinaryIO) -> Image.Image:
    """The picture with its size and kind known and nothing decoded yet. Raises `BadImage`."""
    image = source if isinstance(source, Image.Image) else _open(_stream(source))
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise BadImage(
            f"this picture has {width} × {height} pixels; at most {MAX_PIXELS // 10**6} million can be read."
        )
    return image


def size_refusal(size: int) -> str:
    """Why a file of `size` bytes cannot be a picture, empty if it can."""
    if size > MAX_BYTES:
        return f"this file has {size / 2**20:.0f} MB; a picture may have {MAX_BYTES // 2**20}."
    return "" if size else "this file is empty."


def thumbnail(image: Image.Image, side: int = 96) -> bytes:
    """A small JPEG of a decoded picture, its longest edge `side` pixels, without metadata. Tiny ones are enlarged."""
    return _encoded(image, side / max(image.size), "JPEG", quality=85)


def lossless(image: Image.Image, least: int = 96) -> bytes:
    """A PNG of a decoded picture at its own size; one whose longest edge is below `least` pixels is enlarged."""
    return _encoded(image, max(1.0, least / max(image.size)), "PNG")


def _encoded(image: Image.Image, scale: float, kind: str, **options) -> bytes:
    scaled = image.resize(
        [max(1, round(edge * scale)) for edge in image.size], Image.Resampling.BICUBIC
    )
    file = io.BytesIO()
    scaled.save(file, kind, **options)
    return file.getvalue()


def read_file(path: Path) -> bytes:
    """The bytes of a picture's file. Raises `BadImage` if there are too many, none, or they cannot be read."""
    try:
        _check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        raise BadImage(
            f"this file cannot be read ({error.strerror or type(error).__name__})."
        ) from None


def _stream(source: bytes | Path | BinaryIO) -> BinaryIO:
    if isinstance(source, str | Path):
        source = read_file(Path(source))
    if isinstance(source, bytes | bytearray | memoryview):
        _check_size(len(source))
        return io.BytesIO(source)
    return source


def _check_size(size: int) -> None:
    if refusal := size_refusal(size):
        raise BadImage(refusal)


def _open(file: BinaryIO) -> Image.Image:
    try:
        return Image.open(file, formats=_formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage(
            f"this picture has more than {MAX_PIXELS // 10**6} million pixels."
        ) from None
    except Image.UnidentifiedImageError:
        raise BadImage(f"this is not a picture that can be read{_guess(file)}.") from None
    except BadImage:
        raise
    except Exception as error:  # as in decode: parsers of hostile headers
        raise BadImage(f"this picture is damaged ({_first_line(error)}).") from None


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


def _guess(file: BinaryIO) -> str:
    file.seek(0)
    start = file.read(1024)
    kind = next((what for mark, what in _LOOKS_LIKE if mark in start), "")
    return f": it looks like {kind}" if kind else ""


def _plain(image: Image.Image) -> Image.Image:
    image = _upright(image)
    if image.mode[0] in "IF":
        image = _eight_bits(image)
    if image.has_transparency_data:
        image = _on_white(image.convert("RGBA"))
    plain = image.convert("RGB")
    plain.info = {}  # colour profiles, comments and EXIF would travel on into thumbnails
    return plain


def _on_white(image: Image.Image) -> Image.Image:
    white = Image.new("RGB", image.size, "white")
    white.paste(image, mask=image.getchannel("A"))
    return white


def _upright(image: Image.Image) -> Image.Image:
    image.load()
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # unreadable EXIF does not make a bad picture
        return image


def _eight_bits(image: Image.Image) -> Image.Image:
    """Greys of 16 or 32 bits or floats, which Pillow would clip at 255, by the range that holds them."""
    grey = np.nan_to_num(np.asarray(image, dtype=np.float32)).clip(min=0)
    ranges = (
        (65535,)
        if image.mode.startswith("I;16")
        else (1, 255)
        if image.mode == "F"
        else (255, 65535)
    )
    top = next((r for r in ranges if grey.max() <= r), grey.max())
    return Image.fromarray((grey / top * 255).round().astype(np.uint8))


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:120]
