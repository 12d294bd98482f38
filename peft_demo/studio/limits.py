"""What the questions of one person may take of the machine."""

from dataclasses import dataclass

from ..data.pixels import SET_PIXELS


@dataclass(frozen=True)
class Limits:
    """By default what somebody may take who is alone on the machine."""

    pixels: int = SET_PIXELS
    """Decoded of one dataset, or of the pictures of one request."""
    memory_share: float = 1.0
    """Of the free memory, for a run."""


ALONE = Limits()
