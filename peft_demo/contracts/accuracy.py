"""How an accuracy is said wherever a person reads it: what was counted, and how sure that is.

A share alone says more than a small test set knows: 4 of 4 right is "100 %" for a coin that fell
four times on the same side.
"""

from collections.abc import Sequence
from math import fsum, hypot, sqrt

from .text import percent

CHOSE = "took part in choosing"
"""Said of images by which the kept state or the settings were chosen: their figure is flattered."""
FEW = 20
"""Images below which a short form counts them and names no share of its own."""
Z = 1.959964
"""Of the normal distribution, 95 % lies within so many standard deviations."""


def right_of(accuracy: float, images: int) -> int:
    """How many of the images were right."""
    return round(accuracy * images)


def interval(right: int, images: int) -> tuple[float, float]:
    """Wilson's interval: where the true accuracy lies in 95 of 100 such tests, as fractions of 1.

    Wilson, "Probable Inference, the Law of Succession, and Statistical Inference", JASA 1927.
    """
    share = right / images
    spread = Z**2 / images
    centre = share + spread / 2
    half = sqrt(spread * (share * (1 - share) + spread / 4))
    low = (centre - half) / (1 + spread)
    high = (centre + half) / (1 + spread)
    return max(0.0, min(low, share)), min(1.0, max(high, share))  # despite rounding


def interval_of(accuracy: float, images: int) -> tuple[float, float]:
    """The interval of an accuracy on so many images, as fractions of 1."""
    return interval(right_of(accuracy, images), images)


def in_words(accuracy: float | None, images: int) -> str:
    """0.91, 100 → 91 of 100 right, 84 to 95 %; None → not measured."""
    if accuracy is None or not images:
        return percent(None)
    right = right_of(accuracy, images)
    return f"{right:,} of {images:,} right, {range_in_words(accuracy, images)}"


def range_in_words(accuracy: float, images: int) -> str:
    """0.91, 100 → 84 to 95 %; with a decimal where that is narrow."""
    return f"{_range(accuracy, images)} %"


def in_short(accuracy: float | None, images: int) -> str:
    """0.942, 360 → 94.2 % (91 to 96); 1.0, 4 → 4 of 4 (51 to 100 %); None → not measured."""
    words = without_range(accuracy, images)
    if accuracy is None or not images:
        return words
    unit = " %" if images < FEW else ""
    return f"{words} ({_range(accuracy, images)}{unit})"


def _range(accuracy: float, images: int) -> str:
    low, high = (100 * bound for bound in interval_of(accuracy, images))
    places = 0 if high - low >= 2 else 1
    return f"{low:.{places}f} to {high:.{places}f}"


def without_range(accuracy: float | None, images: int) -> str:
    """0.942, 360 → 94.2 %; 1.0, 4 → 4 of 4; None → not measured.

    For a figure that has its range beside it.
    """
    if accuracy is None or not images:
        return percent(None)
    if images < FEW:
        return f"{right_of(accuracy, images)} of {images}"
    return percent(accuracy)


def mean_interval(intervals: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Where the mean of figures lies whose errors are independent, from where each of them does."""
    centre = fsum((low + high) / 2 for low, high in intervals) / len(intervals)
    half = hypot(*((high - low) / 2 for low, high in intervals)) / len(intervals)
    return centre - half, centre + half
