"""A picture of how an adapter learned: training loss and validation accuracy, one panel each."""

import io
from collections.abc import Sequence
from math import isfinite

from PIL import Image, ImageDraw, ImageFont

from ..contracts.adapter_card import AdapterCard

WIDTH = 800
HEIGHT = 260
"""Pixels of the picture."""
_SHARPER = 2
"""Drawn so many times as large and reduced: Pillow's lines have no smooth edges."""
_LEFT = 52
_TOP = 40
_RIGHT = 16
_BOTTOM = 34
_INK = "#334155"
_GREY = "#cbd5e1"

Points = Sequence[tuple[float, float]]


def curve(card: AdapterCard) -> bytes:
    """A PNG of the curves in the card; empty if there are none to draw."""
    accuracy = [(step, 100 * value) for step, value in card.accuracy_curve]
    panels = [
        ("training loss", card.curve, "#0d9488"),
        ("validation accuracy, %", accuracy, "#e08a1e"),
    ]
    panels = [panel for panel in panels if _drawable(panel[1])]
    if not panels:
        return b""
    picture = Image.new("RGB", (WIDTH * _SHARPER, HEIGHT * _SHARPER), "white")
    width = WIDTH // len(panels)
    for n, (title, points, colour) in enumerate(panels):
        _panel(ImageDraw.Draw(picture), n * width, width, title, points, colour)
    out = io.BytesIO()
    picture.resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS).save(out, "PNG", optimize=True)
    return out.getvalue()


def _drawable(points: Points) -> bool:
    """Whether there are two points, and their differences are numbers: a card may hold any."""
    if len(points) < 2:
        return False
    steps, values = zip(*points, strict=True)
    return isfinite(_span(steps)) and isfinite(_span(values))


def _span(values: Sequence[float]) -> float:
    return float(max(values)) - float(min(values))


def _panel(
    draw: ImageDraw.ImageDraw, left: int, width: int, title: str, points: Points, colour: str
) -> None:
    box = left + _LEFT, _TOP, left + width - _RIGHT, HEIGHT - _BOTTOM
    steps, values = zip(*points, strict=True)
    _text(draw, (box[0], 10), title, "la", 15)
    for value, y in ((max(values), box[1]), (min(values), box[3])):
        _line(draw, [(box[0], y), (box[2], y)], _GREY, 1)
        _text(draw, (box[0] - 8, y), f"{value:.3g}", "rm")
    for step, x, anchor in ((min(steps), box[0], "la"), (max(steps), box[2], "ra")):
        _text(draw, (x, box[3] + 8), f"step {step:.0f}", anchor)
    across = _scale(steps, box[0], box[2])
    up = _scale(values, box[3], box[1])
    _line(draw, list(zip(across, up, strict=True)), colour, 2)


def _scale(values: Sequence[float], start: float, end: float) -> list[float]:
    """The values, the least at `start` and the greatest at `end`."""
    least = min(values)
    span = _span(values) or 1.0
    return [start + (end - start) * (value - least) / span for value in values]


def _line(draw: ImageDraw.ImageDraw, points: Points, colour: str, width: int) -> None:
    draw.line([(_SHARPER * x, _SHARPER * y) for x, y in points], colour, _SHARPER * width, "curve")


def _text(
    draw: ImageDraw.ImageDraw, place: tuple[float, float], words: str, anchor: str, size: int = 12
) -> None:
    font = ImageFont.load_default(_SHARPER * size)
    draw.text((_SHARPER * place[0], _SHARPER * place[1]), words, _INK, font, anchor)
