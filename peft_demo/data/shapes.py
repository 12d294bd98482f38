"""Shapes by direction, in the manner of dSprites: which way does the arrow point?

Colour, size, place and background are drawn at random, so nothing but the direction tells. A
backbone that was taught to see an arrow whichever way it points has little use for that, so a
linear probe does poorly here and fine-tuning helps a lot. (Mirrored images would carry the wrong
label: augment with crops alone.)
"""

import math
from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw

SIDE = 112
"""Pixels."""
PER_CLASS = 80

_SMOOTH = 4  # drawn so many times larger, then averaged
_ANGLES = {
    "up": -90,
    "up right": -45,
    "right": 0,
    "down right": 45,
    "down": 90,
    "down left": 135,
    "left": 180,
}
_ANGLES |= {"up left": -135}
_JITTER = 10
"""Degrees to either side."""

CLASSES = tuple(sorted(_ANGLES))

# Points right, about the unit circle.
_ARROW = ((1, 0), (0.25, 0.75), (0.25, 0.28), (-1, 0.28), (-1, -0.28), (0.25, -0.28), (0.25, -0.75))
_PAPER = (
    "#f4f1ea",
    "#e8eef2",
    "#fdf6e3",
    "#e9f2e4",
    "#f6e8ea",
    "#22303c",
    "#2b2d42",
    "#2f3e46",
    "#3b2f3f",
    "#1f2a38",
)
_INK = (
    "#e4572e",
    "#17bebb",
    "#ffc914",
    "#76b041",
    "#8f5db7",
    "#3a86ff",
    "#ef6f9c",
    "#f28f3b",
    "#588b8b",
    "#b0413e",
)


@lru_cache(maxsize=2048)
def draw(label: int, index: int) -> Image.Image:
    """The `index`-th picture of class `label`: RGB, `SIDE` pixels square, the same at every
    call."""
    random = Random(f"shapes {label} {index}")
    turn = _ANGLES[CLASSES[label]] + random.uniform(-_JITTER, _JITTER)
    radius = random.uniform(22, 40)
    x, y = (random.uniform(radius + 2, SIDE - radius - 2) for _ in "xy")
    picture = Image.new("RGB", (SIDE * _SMOOTH, SIDE * _SMOOTH), random.choice(_PAPER))
    corners = _placed(x * _SMOOTH, y * _SMOOTH, radius * _SMOOTH, math.radians(turn))
    ImageDraw.Draw(picture).polygon(corners, fill=random.choice(_INK))
    return picture.reduce(_SMOOTH)


def _placed(x: float, y: float, radius: float, turn: float) -> list[tuple[float, float]]:
    """The arrow's corners on the page, turned clockwise by `turn` radians."""
    cos = math.cos(turn)
    sin = math.sin(turn)
    return [(x + radius * (a * cos - b * sin), y + radius * (a * sin + b * cos)) for a, b in _ARROW]
