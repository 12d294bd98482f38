"""Shapes by count, in the manner of dSprites and CLEVR-count: which shape is it, and how many of them?

Colour, size, place, rotation and background are drawn at random, so nothing but the shape and the count tells.
"""

import math
from functools import lru_cache
from random import Random

from PIL import Image, ImageDraw

SIDE = 112
"""Pixels."""
PER_CLASS = 80

_SMOOTH = 4  # drawn so many times larger, then averaged
_SIDES = {"circle": 48, "square": 4, "triangle": 3}
_COUNTS = (2, 3, 4)
_PAPER = ("#f4f1ea", "#e8eef2", "#fdf6e3", "#e9f2e4", "#f6e8ea", "#22303c", "#2b2d42", "#2f3e46", "#3b2f3f", "#1f2a38")
_INK = ("#e4572e", "#17bebb", "#ffc914", "#76b041", "#8f5db7", "#3a86ff", "#ef6f9c", "#f28f3b", "#588b8b", "#b0413e")

CLASSES = tuple(f"{count} {kind}s" for count in _COUNTS for kind in _SIDES)


@lru_cache(maxsize=2048)
def draw(label: int, index: int) -> Image.Image:
    """The `index`-th picture of class `label`: RGB, `SIDE` pixels square, the same at every call."""
    random = Random(f"shapes {label} {index}")
    count, kind = _COUNTS[label // len(_SIDES)], list(_SIDES)[label % len(_SIDES)]
    picture = Image.new("RGB", (SIDE * _SMOOTH, SIDE * _SMOOTH), random.choice(_PAPER))
    pen = ImageDraw.Draw(picture)
    for x, y, radius in _places(random, count):
        turn = random.uniform(0, 2 * math.pi)
        corners = _polygon(_SIDES[kind], x * _SMOOTH, y * _SMOOTH, radius * _SMOOTH, turn)
        pen.polygon(corners, fill=random.choice(_INK))
    return picture.reduce(_SMOOTH)


def _places(random: Random, count: int) -> list[tuple[float, float, float]]:
    """(x, y, radius) of `count` shapes that do not touch, pixels."""
    places = []
    while len(places) < count:
        radius = random.uniform(9, 19)
        x, y = (random.uniform(radius + 2, SIDE - radius - 2) for _ in "xy")
        if all(math.dist((x, y), (a, b)) > radius + r + 2 for a, b, r in places):
            places.append((x, y, radius))
    return places


def _polygon(sides: int, x: float, y: float, radius: float, turn: float) -> list[tuple[float, float]]:
    angles = (turn + 2 * math.pi * n / sides for n in range(sides))
    return [(x + radius * math.cos(a), y + radius * math.sin(a)) for a in angles]
