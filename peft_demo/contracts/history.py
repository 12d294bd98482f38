"""What the events of a run tell together."""

from collections.abc import Sequence

from .events import Event, Interrupted, Saved, Started, Tried


def saved_adapter(events: Sequence[Event]) -> str:
    """The adapter that a run with these events has saved last, "" if none."""
    for event in reversed(events):
        if isinstance(event, Saved):
            return event.adapter
    return ""


def classes_of(events: Sequence[Event]) -> tuple[str, ...]:
    """Names of the classes of a run that has started, in the order of their labels."""
    return next((event.classes for event in reversed(events) if isinstance(event, Started)), ())


def trials_of(events: Sequence[Event]) -> list[Tried]:
    """What a search has tried, in order; a trial that was tried again stands there once."""
    return list({event.trial: event for event in events if isinstance(event, Tried)}.values())


def kept_trial(trials: Sequence[Tried]) -> int:
    """The number of the best trial so far, 0 if there is none."""
    return max((trial.trial for trial in trials if trial.best), default=0)


def since_interruption(events: Sequence[Event]) -> Sequence[Event]:
    """What was told since the run last went on; all of it where it was never interrupted."""
    for place, event in reversed(list(enumerate(events, start=1))):
        if isinstance(event, Interrupted):
            return events[place:]
    return events
