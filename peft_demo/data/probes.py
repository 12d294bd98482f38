"""Two probe pictures, the same bytes on every machine: what an adapter answers to them stands in
its file, so that a wrong backbone, resize, normalisation or order of channels or classes shows.

They are drawn by whole numbers alone. One is wide and one is tall, both larger than most models
take, and colours, edges and fine structure differ from side to side: cropping, squeezing, another
interpolation or another order of channels each changes much of what a model sees. Another picture
is another `contracts.probes.VERSION`.
"""

from functools import lru_cache

import numpy as np
from PIL import Image

WIDE = (640, 427)
TALL = (389, 571)
"""(width, height) in pixels."""


@lru_cache
def probe_pictures() -> tuple[Image.Image, ...]:
    """The wide and the tall picture, RGB."""
    return tuple(Image.fromarray(pixels) for pixels in (_wide(), _tall()))


def _wide() -> np.ndarray:
    """A slope of red, rings of green and checks of blue, uint8 [H W 3]; a bar at either end."""
    x, y = _grid(WIDE)
    red = 255 * x // WIDE[0]
    green = _wave((x - 200) ** 2 + (y - 300) ** 2, 9000) * 3 // 4
    blue = 40 + 150 * ((x // 37 + y // 53) % 2)
    picture = np.stack([red, green, blue], axis=-1)
    picture[:, :60] = 235, 200, 20
    picture[:, -60:] = 20, 30, 120
    return picture.astype(np.uint8)


def _tall() -> np.ndarray:
    """A disc on slanted stripes that grow darker downwards, uint8 [H W 3]; a band at either end."""
    x, y = _grid(TALL)
    stripes = _wave(3 * x + 2 * y, 90)
    light = 255 - 180 * y // TALL[1]
    picture = np.stack([light, (light + stripes) // 2, stripes * light // 400], axis=-1)
    inside = (x - 240) ** 2 + (y - 190) ** 2 < 110**2
    picture[inside] = 180, 30, 60
    picture[:50] = 20, 140, 90
    picture[-50:] = 250, 240, 235
    return picture.astype(np.uint8)


def _grid(size: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Column and row of each pixel: whole numbers [H W]."""
    rows, columns = np.indices((size[1], size[0]), dtype=np.int64)
    return columns, rows


def _wave(values: np.ndarray, period: int) -> np.ndarray:
    """0 to 255 and back in each period: a triangle of whole numbers."""
    return abs(values % period * 510 // period - 255)
