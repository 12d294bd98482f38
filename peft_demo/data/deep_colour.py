"""Colours of 16 bits: Pillow keeps their upper 8 bits, and here the lower ones are fetched too."""

import sys
from io import BytesIO
from typing import IO, Any

import numpy as np
from PIL import Image

from .pixels import reduction

_OTHER_ORDER = {"L": "B", "B": "L"}
"""Little and big endian, as they end Pillow's names of raw modes."""
_NATIVE = {"little": "L", "big": "B"}[sys.byteorder]


def is_deep_colour(image: Image.Image) -> bool:
    """Whether this is a PNG or TIFF of 16 bits a colour, not yet decoded."""
    if image.format not in ("PNG", "TIFF") or image.mode not in ("RGB", "RGBA"):
        return False
    return ";16" in _raw_mode(image)


def _raw_mode(image: Image.Image) -> str:
    """How the values lie in the file of a PNG or TIFF, "RGB;16B"; "" once it is decoded."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0][-1]
    return arguments[0] if isinstance(arguments, tuple) else arguments


def colour_values(image: Image.Image) -> np.ndarray:
    """uint16 [H W 3] of a picture of 16 bits a colour that is not yet decoded.

    It is decoded twice, to the upper and to the lower byte of each value. Of a large picture these
    are every second, fourth or eighth row and column.
    """
    content = _content(image)
    kind = image.format or ""
    raw = _raw_mode(image)
    if raw.startswith(
        "LA"
    ):  # grey and transparency are four bytes, which may be taken as one pixel
        pixels = _bytes_as(content, kind, "RGBA")
        return _joined(pixels[:, :, [0, 0, 0]], pixels[:, :, [1, 1, 1]])
    order = raw[-1] if raw[-1] in _OTHER_ORDER else _NATIVE
    upper = _bytes_as(content, kind, raw[:-1] + order)
    lower = _bytes_as(content, kind, raw[:-1] + _OTHER_ORDER[order])
    return _joined(upper[:, :, :3], lower[:, :, :3])


def _joined(upper: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return (upper.astype(np.uint16) << 8) | lower


def _content(image: Image.Image) -> bytes:
    """The file of a picture that is not yet decoded."""
    file: Any = image
    stream: IO[bytes] = file.fp
    place = stream.tell()
    stream.seek(0)
    content = stream.read()
    stream.seek(place)
    return content


def _bytes_as(content: bytes, kind: str, raw: str) -> np.ndarray:
    """uint8 [H W ...] of the picture in a file whose values lie as `raw` says."""
    image: Any = Image.open(BytesIO(content), formats=[kind])
    image.tile = [(*tile[:-1], _with_raw_mode(tile[-1], raw)) for tile in image.tile]
    every = reduction(image)
    return np.asarray(image)[::every, ::every]


def _with_raw_mode(arguments: Any, raw: str) -> Any:
    return (raw, *arguments[1:]) if isinstance(arguments, tuple) else raw
