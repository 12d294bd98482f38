"""Progress of long work, told to whoever asked for it."""

from typing import Protocol


class Report(Protocol):
    """Called in the asking thread while something long goes on."""

    def __call__(self, what: str, fraction: float = -1.0) -> None:
        """`what` is being done.

        `fraction` of it, from 0 to 1, is over; -1 when that is unknown.
        """
