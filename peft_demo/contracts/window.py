"""How pictures that are deeper than 8 bits, or transparent, become plain RGB: one rule per
dataset."""

import re
from dataclasses import dataclass
from math import isfinite

from .errors import BadValue

GROUNDS = ("white", "black", "grey")
"""Ground colours by name; any other is written #rrggbb."""


@dataclass(frozen=True)
class Window:
    """The range of values that becomes black to white, and the colour behind transparent pictures.

    A dataset has one window, chosen from its training images, and its adapter's card keeps it: what
    an adapter is asked later is read as its training images were. Pictures of 8 bits without
    transparency are not changed by it.
    """

    values: tuple[float, ...] = ()
    """(darkest, brightest). Empty: each deep picture by itself, 4095 for one of 12 bits."""
    ground: str = ""
    """A name of `GROUNDS` or #rrggbb. Empty: white."""

    def __post_init__(self):
        object.__setattr__(self, "values", tuple(self.values))
        numbers = all(isinstance(v, int | float) and isfinite(v) for v in self.values)
        if self.values and not (
            numbers and len(self.values) == 2 and self.values[0] < self.values[1]
        ):
            raise BadValue(
                f"a window takes two numbers, the darkest value first, got {self.values!r}.",
                "For instance 0,4095.",
            )
        if not re.fullmatch(rf"{'|'.join(GROUNDS)}|#[0-9a-f]{{6}}|", self.ground):
            raise BadValue(
                f"unknown ground colour {self.ground!r:.40}.",
                f"Expected {', '.join(GROUNDS)} or #rrggbb.",
            )

    def completed_by(self, other: "Window") -> "Window":
        """This window, with what it leaves open taken from `other`."""
        return Window(self.values or other.values, self.ground or other.ground)

    @property
    def words(self) -> str:
        """What it does to pictures, for programs that have to do the same; "" if nothing."""
        parts = []
        if self.values:
            low, high = (f"{value:.10g}" for value in self.values)
            parts.append(
                f"of pictures deeper than 8 bits, values from {low} to {high} become black to white"
            )
        if self.ground:
            parts.append(f"transparent pictures stand on {self.ground}")
        return "; ".join(parts)


def parse_window(text: str) -> tuple[float, ...]:
    """ "0,4095" → (0, 4095); "" → (). Raises `BadValue`."""
    try:
        values = tuple(float(part) for part in text.split(",")) if text.strip() else ()
    except ValueError:
        values = (0.0,)
    if values and len(values) != 2:
        raise BadValue(f"a window is two numbers, got {text!r:.60}.", "For instance 0,4095.")
    return values


def window_text(values: tuple[float, ...]) -> str:
    """(0, 4095) → "0,4095", as `parse_window` takes it."""
    return ",".join(f"{value:.10g}" for value in values)
