"""How many pixels are in memory at once, and how many are decoded in all.

A few kilobytes may decode to 80 million pixels. So a large picture is made smaller as early as its
format allows, large ones are decoded one at a time, and what one question decodes is bounded.
"""

from contextlib import AbstractContextManager, nullcontext
from math import prod
from threading import Lock, RLock
from typing import IO

from PIL import Image

from ..contracts.errors import BadData, BadImage

LARGE = 16_000_000
"""Pixels of a picture above which it is read at a half, a quarter or an eighth of its width and
height, so that there are no more than these."""
MAX_PIXELS = 80_000_000
"""Of a picture, below the size from which Pillow itself warns. One of JPEG 2000, whose decoder
would take 7 s for it, may have `LARGE`."""
MAX_JPEG_PIXELS = 260_000_000
"""Of a JPEG, whose decoder makes the smaller picture at once. It reads a progressive one whole."""
MAX_SCANS = 100
"""Of a progressive JPEG, each of which goes over the whole picture; cameras write about ten."""
SET_PIXELS = 100_000_000_000
"""Of all pictures of a dataset that are looked at: eight thousand phone photos."""

_ALONE = RLock()
_START_OF_SCAN = b"\xff\xda"


class PixelBudget:
    """The pixels that may be decoded for one question, by any number of threads."""

    def __init__(self, most: int = SET_PIXELS):
        self._most = most
        self._left = most
        self._lock = Lock()

    def spend(self, image: Image.Image) -> None:
        """Counts the pixels of a picture whose header is open. Raises `BadData` if they are too
        many."""
        with self._lock:
            self._left -= prod(image.size)
            if self._left < 0:
                raise BadData(
                    f"these pictures have more than {self._most // 10**6:,} million pixels "
                    "together.",
                    "Take fewer pictures, or make them smaller.",
                )


def check_size(image: Image.Image) -> None:
    """`BadImage` if the picture, of which only the header has been read, is too large to decode."""
    width, height = image.size
    most = _most_pixels(image)
    if width * height > most:
        raise BadImage(
            f"this picture has {width} × {height} pixels; "
            f"at most {most // 10**6} million can be read."
        )


def one_at_a_time(image: Image.Image) -> AbstractContextManager:
    """A context in which this thread alone decodes a large picture; no hindrance to small ones."""
    return _ALONE if _is_large(image) else nullcontext()


def reduction(image: Image.Image) -> int:
    """By what to divide the width and height of a picture: 1 if it is not large, else 2, 4 or 8."""
    factor = 1
    while prod(image.size) > LARGE * factor**2:
        factor *= 2
    return min(factor, 8)


def load(image: Image.Image) -> Image.Image:
    """The decoded picture, reduced if it is large. Raises `BadImage`, or whatever the decoder
    does."""
    _check_scans(image)
    if _is_large(image):
        factor = reduction(image)
        image.draft("RGB", (image.width // factor, image.height // factor))
    image.load()
    return _reduced(image) if _is_large(image) else image


def _is_large(image: Image.Image) -> bool:
    return prod(image.size) > LARGE


def _most_pixels(image: Image.Image) -> int:
    """How many a picture of this format may have."""
    if image.format in ("JPEG", "MPO") and not image.info.get("progressive"):
        return MAX_JPEG_PIXELS
    return LARGE if image.format == "JPEG2000" else MAX_PIXELS


def _check_scans(image: Image.Image) -> None:
    stream: IO[bytes] | None = getattr(image, "fp", None)
    if stream is None or not image.info.get("progressive"):
        return
    place = stream.tell()
    scans = stream.read().count(_START_OF_SCAN)
    stream.seek(place)
    if scans > MAX_SCANS:
        raise BadImage(f"this picture is stored in more than {MAX_SCANS} scans.")


def _reduced(image: Image.Image) -> Image.Image:
    """The picture with the average of each square of pixels in place of them."""
    factor = reduction(image)
    if image.mode.startswith("I;16"):
        return image.convert("I").reduce(factor).convert(image.mode)
    if image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.reduce(factor)
