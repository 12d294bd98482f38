"""A line of visitors: first come, first served."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import sleep

from ..contracts.progress import Report

LOOK_S = 0.2
"""Seconds between two looks at the line."""


class Line:
    """Whoever is first has the turn, and keeps it until they leave."""

    def __init__(self) -> None:
        self._tickets: list[object] = []

    def __len__(self) -> int:
        return len(self._tickets)

    @contextmanager
    def enter(self) -> Iterator[Callable[[], int]]:
        """A place in line; what it gives says how many are before it."""
        ticket = object()
        self._tickets.append(ticket)
        try:
            yield lambda: self._tickets.index(ticket)
        finally:
            self._tickets.remove(ticket)

    @contextmanager
    def turn(self, report: Report | None) -> Iterator[None]:
        """Waits for the turn and says how many are before it; a report that raises gives up."""
        with self.enter() as ahead:
            while count := ahead():
                if report:
                    report(waiting(count))
                sleep(LOOK_S)
            yield


def waiting(count: int) -> str:
    """What is said while so many are before somebody."""
    return f"waiting: {count} before you"
