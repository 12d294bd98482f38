"""A run ends when its time is up, and keeps its best."""

from collections.abc import Callable, Iterator
from time import monotonic

from ..contracts.events import Event, Noticed, Stopped

Stop = Callable[[], bool]


def stop_at(
    ends: float, why: str, train: Callable[[Stop], Iterator[Event]], stop: Stop
) -> Iterator[Event]:
    """The events of `train`, which is asked to stop at `ends` as well as by `stop`.

    `ends` is a time of `monotonic`, in seconds. It is looked at after each step. A run that ended
    because of it has a `Noticed` that says `why`.
    """
    for event in train(lambda: stop() or monotonic() > ends):
        if isinstance(event, Stopped) and monotonic() > ends and not stop():
            yield Noticed("warning", f"{why}: what it has is kept")
        yield event
