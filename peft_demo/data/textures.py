"""Textures, in the manner of DTD: a pattern tells, whatever its colours, scale, rotation and
warp."""

import colorsys
from collections.abc import Callable
from functools import lru_cache

import numpy as np
from PIL import Image

SIDE = 112
"""Pixels."""
PER_CLASS = 80

_SMOOTH = 2  # computed so many times finer, then averaged

Pattern = Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]
"""(u, v [H W] in periods of the pattern, chance) → how much ink lies there [H W], 0 to 1."""


def stripes(u, v, rng):
    return _fraction(u) < rng.uniform(0.35, 0.65)


def waves(u, v, rng):
    return (
        _fraction(u + rng.uniform(0.25, 0.5) * np.sin(2 * np.pi * v / rng.uniform(1.5, 2.5))) < 0.5
    )


def zigzag(u, v, rng):
    return _fraction(u + rng.uniform(0.5, 0.9) * np.abs(2 * _fraction(v / 2) - 1)) < 0.5


def checks(u, v, rng):
    return (np.floor(u) + np.floor(v)) % 2


def grid(u, v, rng):
    width = rng.uniform(0.12, 0.25)
    return (_fraction(u) < width) | (_fraction(v) < width)


def bricks(u, v, rng):
    row = np.floor(v)
    along = u / 2 + row / 2
    tint = _speckle(np.floor(along), row)  # each brick a little different
    return (0.7 + 0.3 * tint) * ((_fraction(along) > 0.07) & (_fraction(v) > 0.14))


def dots(u, v, rng):
    u = u + rng.integers(2) * np.floor(v) / 2  # in rows, or staggered
    return np.hypot(_fraction(u) - 0.5, _fraction(v) - 0.5) < rng.uniform(0.22, 0.4)


def rings(u, v, rng):
    return _fraction(np.hypot(u + rng.uniform(-2, 2), v + rng.uniform(-2, 2))) < 0.5


def honeycomb(u, v, rng):
    u = u / 1.5
    v = v / 1.5
    shifted = [
        (_fraction(u - s) - 0.5, (_fraction(v / 3**0.5 - s) - 0.5) * 3**0.5) for s in (0, 0.5)
    ]
    nearest = np.where(np.hypot(*shifted[0]) < np.hypot(*shifted[1]), shifted[0], shifted[1])
    x, y = np.abs(nearest)
    return np.maximum(x, x / 2 + y * 3**0.5 / 2) < rng.uniform(0.40, 0.45)


def clouds(u, v, rng):
    return _noise(len(u), rng, 3, octaves=5)


PATTERNS: dict[str, Pattern] = {
    p.__name__: p
    for p in (bricks, checks, clouds, dots, grid, honeycomb, rings, stripes, waves, zigzag)
}
CLASSES = tuple(PATTERNS)


@lru_cache(maxsize=2048)
def draw(label: int, index: int) -> Image.Image:
    """The `index`-th picture of class `label`: RGB, `SIDE` pixels square, the same at every
    call."""
    rng = np.random.default_rng([label, index])
    ink = PATTERNS[CLASSES[label]](*_coordinates(rng), rng).astype(np.float32)
    ink = ink.reshape(SIDE, _SMOOTH, SIDE, _SMOOTH).mean(axis=(1, 3))[..., None]
    light, dark = _colours(rng)
    light, dark = (light, dark) if rng.random() < 0.5 else (dark, light)
    pixels = (dark + (light - dark) * ink) * _daylight(rng)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


def _coordinates(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Turned, scaled, shifted and gently warped pixel coordinates, in periods. Each [H W],
    `_SMOOTH` to a pixel."""
    side = SIDE * _SMOOTH
    period = rng.uniform(12, 28)
    turn = rng.uniform(0, 2 * np.pi)
    line = np.arange(side, dtype=np.float32) / _SMOOTH - SIDE / 2
    x, y = (
        axis + rng.uniform(0, 10) * (_noise(side, rng, 2) - 0.5)
        for axis in (line[None], line[:, None])
    )
    u = x * np.cos(turn) - y * np.sin(turn)
    v = x * np.sin(turn) + y * np.cos(turn)
    return u / period + rng.random(), v / period + rng.random()


def _noise(side: int, rng: np.random.Generator, coarsest: int, octaves: int = 1) -> np.ndarray:
    """Smooth noise [side side] from 0 to 1; each octave is twice as fine and half as strong."""
    total = np.zeros((side, side), dtype=np.float32)
    for octave in range(octaves):
        cells = rng.random((coarsest * 2**octave + 1,) * 2, dtype=np.float32)
        total += (
            np.asarray(Image.fromarray(cells).resize((side, side), Image.Resampling.BICUBIC))
            / 2**octave
        )
    return (total - total.min()) / (total.max() - total.min())


def _daylight(rng: np.random.Generator) -> np.ndarray:
    """Uneven brightness and a little grain [H W 1], around 1."""
    return (0.8 + 0.3 * _noise(SIDE, rng, 2) + 0.04 * rng.standard_normal((SIDE, SIDE)))[..., None]


def _colours(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """A light and a dark colour [3], 0 to 255, of any two hues."""
    light = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.1, 0.55), rng.uniform(0.85, 1))
    dark = colorsys.hsv_to_rgb(rng.random(), rng.uniform(0.3, 0.9), rng.uniform(0.2, 0.55))
    return 255 * np.array(light), 255 * np.array(dark)


def _speckle(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A number from 0 to 1 for each cell, without rhyme or reason."""
    return _fraction(np.sin(x * 12.9898 + y * 78.233) * 43758.5453)


def _fraction(x: np.ndarray) -> np.ndarray:
    return x - np.floor(x)
