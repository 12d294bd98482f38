"""Pictures deeper than 8 bits, and transparent ones: one window per dataset makes plain RGB of
them.

Twelve bits in a file of sixteen fill a sixteenth of its range, CT values are negative, floats end
at 1.02: scaled by the range of its own type, or of its own pixels, a picture becomes black or
changes its brightness from file to file. So the range is chosen once, from all training images of a
dataset (`choose_values`), and so is the ground behind transparent ones (`choose_ground`): white
drawings on nothing are seen on black.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import IO

import numpy as np
from PIL import Image

from ..contracts.window import Window

_SHARE = 0.1
"""Percent of a picture's pixels that may lie beyond the range at either end: hot pixels, letters
burnt in."""
_ROOM = 8
"""A range is drawn tight around the values where they fill less than this part of the usual one."""
_VISIBLE = 12.0
"""Standard deviation of brightness, of 255, from which a drawing on some ground is seen."""

_GREYS = {"white": 255, "grey": 128, "black": 0}


@dataclass(frozen=True)
class Levels:
    """The range of one deep picture's values, without the outermost ones, and whether they are
    whole numbers."""

    low: float
    high: float
    whole: bool


def deep_values(image: Image.Image) -> np.ndarray | None:
    """float32 [H W] or [H W 3] of a picture deeper than 8 bits, None for any other. The picture is
    decoded.

    Pillow keeps the upper 8 bits of colours of 16; for PNG they are decoded here.
    """
    if image.mode[0] in "IF":
        return np.asarray(image, dtype=np.float32)
    if is_deep_colour(image):
        return _colour_values(image)
    return None


def is_deep_colour(image: Image.Image) -> bool:
    """Whether this is a PNG of 16 bits a colour, not yet decoded."""
    tiles = getattr(image, "tile", None)
    return image.format == "PNG" and bool(tiles) and str(tiles[0][-1]).endswith(";16B")


def _colour_values(image: Image.Image) -> np.ndarray | None:
    import torch
    from torchvision.io import ImageReadMode, decode_image

    stream: IO[bytes] | None = getattr(image, "fp", None)
    if stream is None:
        return None
    place = stream.tell()
    stream.seek(0)
    content = bytearray(stream.read())
    stream.seek(place)
    encoded = torch.frombuffer(content, dtype=torch.uint8)
    pixels = decode_image(encoded, mode=ImageReadMode.UNCHANGED).permute(1, 2, 0).numpy()
    colours = pixels[:, :, :3] if pixels.shape[2] > 2 else pixels[:, :, [0, 0, 0]]
    return colours.astype(np.float32)


def levels_of(values: np.ndarray) -> Levels | None:
    """The range of a deep picture's values [...]; None where no value is finite."""
    finite = values[np.isfinite(values)]
    if not len(finite):
        return None
    low, high = np.percentile(finite, [_SHARE, 100 - _SHARE])
    whole = bool((finite == np.round(finite)).all())
    return Levels(float(low), float(high), whole)


def choose_values(levels: Sequence[Levels]) -> tuple[float, ...]:
    """(darkest, brightest) that suits all these pictures; empty if there are none.

    Whole numbers from 0 on: the smallest of 255, 511, 1023, ... 65535 that holds them, as cameras
    count. Fractions: 0 to 1 or 0 to 255. Where the values are negative, or would fill a small part
    of that: their own range.
    """
    if not levels:
        return ()
    low = min(level.low for level in levels)
    high = max(level.high for level in levels)
    if all(level.whole for level in levels):
        own = (float(np.floor(low)), float(np.ceil(high)))
        usual = [2.0**bits - 1 for bits in range(8, 17)]
    else:
        own = (low, high)
        usual = [1.05, 262.0]
    top = next((top for top in usual if high <= top), None)
    if low < 0 or top is None or (high - low) * _ROOM < top:
        return own if own[1] > own[0] else (own[0], own[0] + 1)
    return 0.0, {1.05: 1.0, 262.0: 255.0}.get(top, top)


def to_eight_bits(values: np.ndarray, window: tuple[float, ...]) -> np.ndarray:
    """uint8 of deep values, the window's ends at 0 and 255; what is no number becomes black."""
    low, high = window
    filled = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = (filled - low) / (high - low)
    return (scaled.clip(0, 1) * 255).round().astype(np.uint8)


def own_range(image: Image.Image, values: np.ndarray) -> tuple[float, float]:
    """The range of a deep picture by its type and its own values, where no window is known."""
    if image.mode.startswith("I;16"):
        return 0.0, 65535.0
    highest = float(np.nan_to_num(values).max(initial=0))
    usual = (1.0, 255.0) if image.mode == "F" else (255.0, 65535.0)
    return 0.0, next((top for top in usual if highest <= top), highest)


def is_transparent(image: Image.Image) -> bool:
    """Whether something of the picture can be seen through."""
    if not image.has_transparency_data:
        return False
    return bool((np.asarray(image.convert("RGBA").getchannel("A")) < 255).any())


def on_ground(image: Image.Image, ground: str) -> Image.Image:
    """A transparent picture as RGB on a ground of one colour; white where none is named."""
    picture = image.convert("RGBA")
    plain = Image.new("RGB", picture.size, ground or "white")
    plain.paste(picture, mask=picture.getchannel("A"))
    return plain


def contrasts(image: Image.Image) -> dict[str, float]:
    """Ground colour → standard deviation of brightness, 0 to 127, of a transparent picture on
    it."""
    small = image.convert("RGBA")
    small.thumbnail((64, 64))
    alpha = np.asarray(small.getchannel("A"), dtype=np.float32) / 255
    grey = np.asarray(small.convert("L"), dtype=np.float32)
    return {
        name: float((grey * alpha + brightness * (1 - alpha)).std())
        for name, brightness in _GREYS.items()
    }


def choose_ground(seen: Sequence[dict[str, float]]) -> str:
    """The ground on which nearly all of these transparent pictures are seen; "" (white) if they are
    on white."""
    if not seen:
        return ""
    faint = {name: _tenth(contrast[name] for contrast in seen) for name in _GREYS}
    best = max(faint, key=lambda name: faint[name])
    if faint["white"] >= min(_VISIBLE, 0.5 * faint[best]):
        return ""
    return best


def _tenth(values: Iterable[float]) -> float:
    """The value below which a tenth lies."""
    return float(np.percentile(list(values), 10))


def suits_eight_bits(window: Window) -> bool:
    """Whether the window's values are meant for greys of 8 bits too, as in `--window 0,9`."""
    if not window.values:
        return False
    low, high = window.values
    return low >= 0 and 1.5 < high < 255
