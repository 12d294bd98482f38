"""Pictures deeper than 8 bits: one range of values per dataset makes plain RGB of them.

Twelve bits in a file of sixteen fill a sixteenth of its range, CT values are negative, floats end
at 1.02: scaled by the range of its own type, or of its own pixels, a picture becomes black or
changes its brightness from file to file. So the range is chosen once, from all training images of a
dataset (`choose_values`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from ..contracts.window import Window
from .deep_colour import colour_values, is_deep_colour

_SHARE = 0.1
"""Percent of a picture's pixels that may lie beyond the range at either end: hot pixels, letters
burnt in."""
_ROOM = 8
"""A range is drawn tight around the values where they fill less than this part of the usual one."""


@dataclass(frozen=True)
class Levels:
    """The range of one deep picture's values, without the outermost ones, and whether they are
    whole numbers."""

    low: float
    high: float
    whole: bool


def deep_values(image: Image.Image) -> np.ndarray | None:
    """[H W] or [H W 3] of a picture deeper than 8 bits, None for any other. The picture is
    decoded."""
    if image.mode[0] in "IF":
        return np.asarray(image)
    if is_deep_colour(image):
        return colour_values(image)
    return None


def levels_of(values: np.ndarray) -> Levels | None:
    """The range of a deep picture's values [...]; None where no value is finite."""
    whole = values.dtype.kind in "iu"
    if not whole:
        values = values[np.isfinite(values)]
        whole = bool((values == np.round(values)).all())
    if not values.size:
        return None
    low, high = np.percentile(values, [_SHARE, 100 - _SHARE])
    return Levels(float(low), float(high), whole)


def choose_values(levels: Sequence[Levels]) -> tuple[float, ...]:
    """(darkest, brightest) that suits all these pictures; empty if there are none.

    The usual range that holds them, see `_usual_top`. Where the values are negative, or would fill
    a small part of that: their own range.
    """
    if not levels:
        return ()
    low = min(level.low for level in levels)
    high = max(level.high for level in levels)
    whole = all(level.whole for level in levels)
    top = _usual_top(high, whole)
    if low < 0 or top is None or (high - low) * _ROOM < top:
        return _own_range(low, high, whole)
    return 0.0, top


def range_of_one(values: np.ndarray) -> tuple[float, float]:
    """The range for a deep picture by itself, where no window is known.

    As `choose_values`, but never drawn tight around its values: a dim picture stays dim.
    """
    levels = levels_of(values)
    if levels is None:
        return 0.0, 1.0
    top = _usual_top(levels.high, levels.whole)
    if levels.low < 0 or top is None:
        return _own_range(levels.low, levels.high, levels.whole)
    return 0.0, top


def _usual_top(high: float, whole: bool) -> float | None:
    """The brightest value of the usual range that ends above `high`, None where there is none.

    Whole numbers: the smallest of 255, 511, 1023, ... 65535, as cameras count. Fractions: 1 or 255,
    with a little room.
    """
    if whole:
        return next((2.0**bits - 1 for bits in range(8, 17) if high <= 2**bits - 1), None)
    return next((top for top, room in _FRACTIONS if high <= room), None)


_FRACTIONS = ((1.0, 1.05), (255.0, 262.0))
"""(brightest value, what is still taken for it)"""


def _own_range(low: float, high: float, whole: bool) -> tuple[float, float]:
    if whole:
        low, high = float(np.floor(low)), float(np.ceil(high))
    return (low, high) if high > low else (low, low + 1)


def to_eight_bits(values: np.ndarray, window: tuple[float, ...]) -> np.ndarray:
    """uint8 of deep values, the window's ends at 0 and 255; what is no number becomes black."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 2:
        every = np.arange(2**16, dtype=np.float32)  # a table takes less memory than fractions
        return _scaled(every, window)[values]
    return _scaled(values.astype(np.float32), window)


def _scaled(values: np.ndarray, window: tuple[float, ...]) -> np.ndarray:
    low, high = window
    filled = np.nan_to_num(values, nan=low, posinf=high, neginf=low)
    scaled = (filled - low) / (high - low)
    return (scaled.clip(0, 1) * 255).round().astype(np.uint8)


def suits_eight_bits(window: Window) -> bool:
    """Whether the window's values are meant for greys of 8 bits too, as in `--window 0,9`."""
    if not window.values:
        return False
    low, high = window.values
    return low >= 0 and 1.5 < high < 255
