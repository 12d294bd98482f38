"""The one decoder: whatever people drop on the page becomes an upright RGB picture, or a
sentence."""

import io
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np
from PIL import Image, ImageOps, JpegImagePlugin

from ..contracts.errors import BadImage
from ..contracts.window import Window
from .deep_colour import is_deep_colour
from .depth import deep_values, range_of_one, suits_eight_bits, to_eight_bits
from .formats import describe, is_heic
from .pixels import MAX_PIXELS, check_size, load, one_at_a_time
from .tiff import MAX_PIECES, count_pieces
from .transparency import on_ground

MAX_BYTES = 100 * 2**20
"""Of one encoded picture."""
KEPT_SIDE = 512
"""Pixels of the longest edge of a picture that is kept to be looked at."""
THREADS = 4
"""Pillow decodes outside the interpreter's lock."""

_FORMATS = ("JPEG", "MPO", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG2000", "AVIF")
"""Whose decoders need no other program: EPS, for one, would start Ghostscript on a stranger's file.
"""
_START = 1024
"""Bytes that tell what a file is."""
_DNG_VERSION = 50706
"""A TIFF tag that only raw photos have."""
_REDUCED, _SUB_DIRECTORIES = 254, 330
"""TIFF tags: whether a picture is a smaller version of another, and where further ones stand."""


def decode(source: bytes | Path | Image.Image, window: Window = Window()) -> Image.Image:
    """An upright RGB picture without metadata; of an animation the first frame. It has its own size
    unless that is more than `LARGE` pixels.

    `window` says which range of values becomes black to white in pictures deeper than 8 bits, and
    what lies behind transparent ones; colours with a profile become sRGB. Raises `BadImage`, a
    sentence, for whatever is too large (checked before anything is decoded), cut off, damaged or no
    picture.
    """
    try:
        image = open_header(source)
        with one_at_a_time(image):
            plain = _plain(image, window)
            del image  # before the next large one is decoded
        return plain
    except BadImage:
        raise
    except (EOFError, OSError) as error:
        raise BadImage(f"this picture is cut off or damaged ({_first_line(error)}).") from None
    except Exception as error:  # decoders meet hostile bytes: any of them may raise anything
        raise BadImage(f"this picture is damaged ({_first_line(error)}).") from None


class Picture:
    """An image from anywhere, decoded once for each change of the window it is asked for under."""

    def __init__(self, source: bytes | Path | Image.Image):
        self._source = source
        self._latest: tuple[Window, Image.Image] | None = None

    def under(self, window: Window) -> Image.Image:
        """The decoded picture; see `decode`. Raises `BadImage`."""
        if self._latest is None or self._latest[0] != window:
            self._latest = window, decode(self._source, window)
        return self._latest[1]


def open_header(source: bytes | Path | Image.Image | IO[bytes]) -> Image.Image:
    """The picture with its size and kind known and nothing decoded yet. Raises `BadImage`."""
    image = source if isinstance(source, Image.Image) else _open(_stream(source))
    check_size(image)
    return image


def size_refusal(size: int) -> str:
    """Why a file of `size` bytes cannot be a picture, empty if it can."""
    if size > MAX_BYTES:
        return f"this file has {size / 2**20:.0f} MB; a picture may have {MAX_BYTES // 2**20}."
    return "" if size else "this file is empty."


def thumbnail(image: Image.Image, side: int = 96) -> bytes:
    """A small JPEG of a decoded picture, its longest edge `side` pixels, without metadata. Tiny
    ones are enlarged."""
    return _encoded(image, side / max(image.size), "JPEG", quality=85)


def lossless(image: Image.Image, least: int = 96) -> bytes:
    """A PNG of a decoded picture at its own size; one whose longest edge is below `least` pixels is
    enlarged."""
    return _encoded(image, max(1.0, least / max(image.size)), "PNG")


def keepsake(image: Image.Image) -> bytes:
    """A copy of a decoded picture to be looked at and classified later, without metadata: a PNG
    that loses nothing of a small one, else a JPEG of `KEPT_SIDE` pixels."""
    longest = max(image.size)
    if longest <= KEPT_SIDE // 2:
        return lossless(image)
    return _encoded(image, min(1.0, KEPT_SIDE / longest), "JPEG", quality=92)


def _encoded(image: Image.Image, scale: float, kind: str, **options: Any) -> bytes:
    width, height = (max(1, round(edge * scale)) for edge in image.size)
    scaled = image.resize((width, height), Image.Resampling.BICUBIC)
    file = io.BytesIO()
    scaled.save(file, kind, **options)
    return file.getvalue()


def read_file(path: Path) -> bytes:
    """The bytes of a picture's file. Raises `BadImage` if there are too many, none, or they cannot
    be read."""
    try:
        _check_size(path.stat().st_size)
        return path.read_bytes()
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BadImage(f"this file cannot be read ({reason}).") from None


def _stream(source: bytes | str | Path | IO[bytes]) -> IO[bytes]:
    if isinstance(source, str | Path):
        source = read_file(Path(source))
    if isinstance(source, bytes | bytearray | memoryview):
        _check_size(len(source))
        return io.BytesIO(source)
    return source


def _check_size(size: int) -> None:
    if refusal := size_refusal(size):
        raise BadImage(refusal)


def _open(file: IO[bytes]) -> Image.Image:
    start = _start(file)
    if count_pieces(file) > MAX_PIECES:
        raise BadImage(f"this picture is stored in more than {MAX_PIECES:,} pieces.")
    try:
        if start.startswith(b"\xff\xd8\xff"):  # without Pillow's limit of size: it may be shrunk
            return JpegImagePlugin.jpeg_factory(file)
        if is_heic(start) and _register_heic():
            return Image.open(file, formats=["HEIF"])
        image = Image.open(file, formats=_formats())
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise BadImage(
            f"this picture has more than {MAX_PIXELS // 10**6} million pixels."
        ) from None
    except Image.UnidentifiedImageError:
        raise _not_a_picture(start) from None
    except BadImage:
        raise
    except Exception as error:  # as in decode: parsers of hostile headers
        kind = "HEIC photo" if is_heic(start) else "picture"
        raise BadImage(f"this {kind} is damaged ({_first_line(error)}).") from None
    if _is_raw(image) or start[8:10] == b"CR":
        raise BadImage("this is a raw photo of a camera; export it as JPEG or PNG.")
    return image


def _is_raw(image: Image.Image) -> bool:
    """Whether a TIFF is a raw photo (DNG, NEF, ARW): its first picture is a small preview, and the
    photo stands in a directory below."""
    tags = getattr(image, "tag_v2", {})
    return _DNG_VERSION in tags or (tags.get(_REDUCED) == 1 and _SUB_DIRECTORIES in tags)


def _start(file: IO[bytes]) -> bytes:
    """The first bytes; the stream stands at its beginning again."""
    start = file.read(_START)
    file.seek(0)
    return start


def _not_a_picture(start: bytes) -> BadImage:
    what = describe(start)
    looks = f": it looks like {what}" if what else ""
    return BadImage(f"this is not a picture that can be read{looks}.")


@cache
def _formats() -> tuple[str, ...]:
    Image.init()
    return tuple(name for name in _FORMATS if name in Image.OPEN)


@cache
def _register_heic() -> bool:
    """Whether pillow-heif is installed; Pillow opens HEIC photos from then on."""
    try:
        from pillow_heif import register_heif_opener  # pyright: ignore[reportMissingImports]
    except ImportError:
        return False
    register_heif_opener()
    return True


def _plain(image: Image.Image, window: Window) -> Image.Image:
    if is_deep_colour(image):
        image = _eight_bits(image, window)
    image = _upright(image)
    if image.mode[0] in "IF":
        image = _eight_bits(image, window)
    elif suits_eight_bits(window) and image.mode == "L":
        image = Image.fromarray(to_eight_bits(np.asarray(image), window.values))
    image = _standard_colours(image)
    if image.has_transparency_data:
        image = on_ground(image, window.ground)
    plain = image.convert("RGB")
    plain.info = {}  # colour profiles, comments and EXIF would travel on into thumbnails
    return plain


def _eight_bits(image: Image.Image, window: Window) -> Image.Image:
    """The deep picture in 8 bits; transparency, which Pillow has in 8 bits already, stays."""
    values = deep_values(image)
    if values is None:
        return image
    scaled = Image.fromarray(to_eight_bits(values, window.values or range_of_one(values)))
    if image.mode == "RGBA":
        scaled.putalpha(load(image).getchannel("A"))
    scaled.info = {key: image.info[key] for key in ("exif", "icc_profile") if key in image.info}
    return scaled


def _upright(image: Image.Image) -> Image.Image:
    image = load(image)
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # unreadable EXIF does not make a bad picture
        return image


def _standard_colours(image: Image.Image) -> Image.Image:
    """The picture in sRGB, where its colour profile is another one (Adobe RGB, Display P3)."""
    content = image.info.get("icc_profile")
    if not content or image.mode not in ("RGB", "RGBA"):
        return image
    from PIL import ImageCms

    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(content))
        if "srgb" in ImageCms.getProfileDescription(profile).lower():
            return image
        srgb = ImageCms.createProfile("sRGB")
        colours = ImageCms.profileToProfile(image.convert("RGB"), profile, srgb)
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return image  # an unreadable profile does not make a bad picture
    if colours is None:
        return image
    if image.mode == "RGBA":
        colours.putalpha(image.getchannel("A"))
    return colours


def _first_line(error: Exception) -> str:
    return (str(error) or type(error).__name__).splitlines()[0][:120]
