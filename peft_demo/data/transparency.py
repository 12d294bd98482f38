"""Transparent pictures: one ground colour per dataset stands behind them.

White drawings on nothing are seen on black. So the ground is chosen once, from all training images
(`choose_ground`).
"""

from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image

_VISIBLE = 12.0
"""Standard deviation of brightness, of 255, from which a drawing on some ground is seen."""
_GREYS = {"white": 255, "grey": 128, "black": 0}


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
