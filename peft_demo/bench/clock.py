"""How long a sweep will still take, from the runs that it has done."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from statistics import mean
from time import monotonic, process_time

LEAST_AT_WORK = 0.1
"""A process that works takes this share of one processor's time at least, on a busy machine too."""


class Clock:
    """Counts down the runs that are left, each named by its contender.

    Seconds in which the process was suspended (Ctrl-Z, a closed lid) do not count: between two
    ticks it has then used hardly any processor time.
    """

    def __init__(self, left: Sequence[str]):
        self._left = list(left)
        self._seconds: dict[str, list[float]] = {}
        """Contender → what each of its runs took."""
        self._worked = 0.0
        self._last = monotonic(), process_time()

    def tick(self) -> None:
        """Called while a run goes on, the more often the better."""
        now = monotonic(), process_time()
        passed, used = (new - old for new, old in zip(now, self._last, strict=True))
        self._worked += min(passed, used / LEAST_AT_WORK)
        self._last = now

    @contextmanager
    def run(self, word: str) -> Iterator[None]:
        """Inside, a run of this contender goes on."""
        self._last = monotonic(), process_time()
        self._worked = 0.0
        yield
        self.tick()
        self.ended(word, self._worked)

    def ended(self, word: str, seconds: float) -> None:
        """A run of this contender has ended; it took so long."""
        self._seconds.setdefault(word, []).append(seconds)
        if word in self._left:
            self._left.remove(word)

    def left(self, at_once: int = 1) -> str:
        """The time until the last run has ended, so many at a time; "" while nothing is known.

        A contender takes what its own runs took, one that has not run yet what all others took.
        """
        if not self._seconds:
            return ""
        known = {word: mean(seconds) for word, seconds in self._seconds.items()}
        usual = mean(known.values())
        minutes = ceil(sum(known.get(word, usual) for word in self._left) / at_once / 60)
        if minutes < 90:
            return f", about {minutes} min left"
        return f", about {minutes / 60:.1f} h left"
