"""A run in words and figures: its headline, its tiles, its line in the list, its log."""

from collections.abc import Iterator, Sequence

from ...contracts import events as ev
from ...contracts.accuracy import CHOSE, in_short, in_words, range_in_words, right_of, without_range
from ...contracts.history import kept_trial, saved_adapter, trials_of
from ...contracts.run_state import RunState
from .. import text
from ..stat_tiles import Tile, bar, table, tiles
from .points import steps as steps_of

HEADLINES = {
    RunState.QUEUED: "Waiting for the machine",
    RunState.PREPARING: "Preparing",
    RunState.RUNNING: "Training",
    RunState.STOPPING: "Stopping",
    RunState.DONE: "Finished",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Failed",
    RunState.INTERRUPTED: "Interrupted: the app was closed before the run ended",
}
"""State of a run → how it is announced."""
LOOKED_AT_LAST = "Test images are looked at only at the end of a whole run."
NO_TEST_IMAGES = "There were no test images."
VALIDATION_CHOSE = f"The validation images {CHOSE} what was kept, so expect less on other pictures."
TRIAL_HEAD = ("Trial", "Settings", "Validation", "")


def headline(state: RunState, events: Sequence[ev.Event]) -> str:
    """Markdown: what is going on, in one or two lines."""
    word = HEADLINES[state]
    match events[-1] if events else None:
        case ev.Finished() as end:
            return result(end, events)
        case ev.Failed(problem, hint):
            reason = text.plain(text.sentence(problem))
            return f"## Failed\n{reason} {text.plain(text.sentence(hint))}"
        case ev.Interrupted(reason) if reason:
            return f"## Interrupted\n{text.plain(text.sentence(reason))}"
        case ev.Progressed(what, fraction):
            return f"## {word}\n{text.plain(what)}{_percent(fraction)}"
        case ev.Surveyed(batch, batches):
            measured = "Measuring where the backbone is sensitive"
            return f"## Surveying\n{measured}: batch {batch} of {batches}"
    return f"## {word}"


def result(end: ev.Finished, events: Sequence[ev.Event]) -> str:
    """Markdown: what came of a run that has ended, in one sentence, and how sure that is."""
    if not saved_adapter(events):
        return "## Stopped before there was anything to keep"
    stopped = isinstance(end, ev.Stopped)
    after = f"{'Stopped' if stopped else 'Finished'} after {text.seconds(end.seconds)}."
    size = text.size(end.file_bytes)
    if end.test_accuracy is not None and end.test_images:
        right = right_of(end.test_accuracy, end.test_images)
        sure = range_in_words(end.test_accuracy, end.test_images)
        sentence = f"{right:,} of {end.test_images:,} right, in {size}"
        return f"## {sentence}\n{after} Expect {sure} on other pictures like these."
    reason = LOOKED_AT_LAST if stopped else NO_TEST_IMAGES
    validations = [event for event in events if isinstance(event, ev.Evaluated)]
    chosen = f" {VALIDATION_CHOSE}" if len(validations) > 1 else ""
    return f"## {_validated(end, events)}, in {size}\n{after} {reason}{chosen}"


def _validated(end: ev.Finished, events: Sequence[ev.Event]) -> str:
    """36 of 40 validation images right"""
    images = _validation_images(events)
    if end.val_accuracy is None or not images:
        return "Trained"
    return f"{right_of(end.val_accuracy, images):,} of {images:,} validation images right"


def _validation_images(events: Sequence[ev.Event]) -> int:
    """How many there were at the last look, 0 if there was none."""
    images = [event.images for event in events if isinstance(event, ev.Evaluated)]
    return images[-1] if images else 0


def _percent(fraction: float) -> str:
    """ " 40 %", empty where the fraction is unknown."""
    return f" {100 * fraction:.0f} %" if fraction >= 0 else ""


def ended(events: Sequence[ev.Event]) -> bool:
    """Whether the journal is complete."""
    return bool(events) and events[-1].final


def figures(events: Sequence[ev.Event]) -> str:
    """HTML: a progress bar and tiles while it runs, the result once it is over; what a search has
    tried.
    """
    tried = trials_of(events)
    trials = table(TRIAL_HEAD, _trials(tried)) if tried else ""
    return _figures(events) + trials


def _trials(tried: Sequence[ev.Tried]) -> Iterator[tuple[object, ...]]:
    kept = kept_trial(tried)
    for trial in tried:
        note = "best" if trial.trial == kept else text.sentence(trial.problem)
        accuracy = "–" if trial.problem else in_short(trial.accuracy, trial.images)
        yield f"{trial.trial} / {trial.trials}", trial.settings, accuracy, note


def _figures(events: Sequence[ev.Event]) -> str:
    if events and isinstance(events[-1], ev.Finished):
        return ""
    steps = steps_of(events)
    if not steps:
        return bar(0)
    stepped = [event for event in events if isinstance(event, ev.Stepped)]
    if not stepped:
        return bar(0) + tiles([Tile("Step", f"0 / {steps}")])
    latest = stepped[-1]
    return bar(latest.step / steps) + tiles(_progress(latest, steps, events))


def facts(events: Sequence[ev.Event]) -> str:
    """HTML: the figures of a run that has ended, "" before."""
    last = events[-1] if events else None
    return tiles(_result(last, events)) if isinstance(last, ev.Finished) else ""


def _progress(now: ev.Stepped, steps: int, events: Sequence[ev.Event]) -> Iterator[Tile]:
    left = f"{text.seconds(now.eta_s)} left" if now.eta_s and not ended(events) else ""
    yield Tile("Step", f"{now.step} / {steps}", left)
    yield Tile("Training loss", f"{now.loss:.3f}")
    yield _best_validation(events)
    yield Tile("Speed", f"{now.images_per_second:.0f}", "images / s")
    yield Tile("Memory", f"{now.memory_mb:.0f} MB")


def _best_validation(events: Sequence[ev.Event]) -> Tile:
    validations = [event for event in events if isinstance(event, ev.Evaluated)]
    if not validations:
        return Tile("Best validation", "–")
    best = max(validations, key=lambda event: event.accuracy)
    sure = range_in_words(best.accuracy, best.images)
    return Tile("Best validation", without_range(best.accuracy, best.images), sure)


def _result(end: ev.Finished, events: Sequence[ev.Event]) -> Iterator[Tile]:
    tested = in_words(end.test_accuracy, end.test_images)
    if not end.test_images:
        tested = "stopped early" if isinstance(end, ev.Stopped) else "no test images"
    frozen = "unchanged ✓" if end.unchanged else "CHANGED ✗"
    yield Tile("Test accuracy", without_range(end.test_accuracy, end.test_images), tested)
    yield _validation(end, events)
    yield Tile("Trained", text.count(end.trainable), f"and {text.count(end.head)} in the head")
    yield Tile("Adapter file", text.size(end.file_bytes))
    yield Tile("Time", text.seconds(end.seconds), f"{end.images_per_second:.0f} images / s")
    yield Tile("Backbone", frozen, f"sha256 {end.fingerprint[:12]}")


def _validation(end: ev.Finished, events: Sequence[ev.Event]) -> Tile:
    """The kept state's figure on validation images, their number being that of the last look."""
    images = _validation_images(events)
    figure = without_range(end.val_accuracy, images)
    kept = f"kept, at step {end.best_step}"
    if end.val_accuracy is None or not images:
        return Tile("Validation accuracy", figure, kept)
    sure = range_in_words(end.val_accuracy, images)
    return Tile("Validation accuracy", figure, f"{sure}; {kept}")


def log_lines(events: Sequence[ev.Event]) -> list[str]:
    """The journal in words. Of the steps only those that were evaluated, or it
    would be all steps.
    """
    lines = (_line(event) for event in events)
    return [line for line in lines if line]


def _device(event: ev.Started) -> str:
    """ "cpu, in bf16" """
    return f"{event.device}, in {event.precision}" if event.precision else event.device


def _line(event: ev.Event) -> str:
    match event:
        case ev.Progressed(what, fraction):
            return what + _percent(fraction)
        case ev.Started():
            return (
                f"{event.steps} steps on {_device(event)}; {event.train_images} images to train, "
                f"{event.val_images} to validate, {event.test_images} to test; "
                f"{event.trainable} trainable + {event.head} head"
            )
        case ev.Evaluated():
            kept = "  kept" if event.best else ""
            return (
                f"step {event.step:5d}  validation loss {event.loss:.4f}  "
                f"accuracy {in_short(event.accuracy, event.images)}{kept}"
            )
        case ev.Tried():
            accuracy = event.problem or f"accuracy {in_short(event.accuracy, event.images)}"
            best = "  best so far" if event.best else ""
            return f"trial {event.trial} of {event.trials}: {event.settings}: {accuracy}{best}"
        case ev.Saved():
            return f"step {event.step:5d}  saved {event.adapter} ({text.size(event.file_bytes)})"
        case ev.Noticed(level, words):
            return f"{level}: {words}"
        case ev.Failed(words, hint):
            return f"failed: {words} {hint}".rstrip()
        case ev.Finished():
            outcome = "stopped" if isinstance(event, ev.Stopped) else "finished"
            accuracy = in_words(event.test_accuracy, event.test_images)
            return f"{outcome} after {text.seconds(event.seconds)}; test accuracy {accuracy}"
        case ev.Resumed(step):
            return f"goes on after step {step}"
        case ev.Interrupted(reason):
            return f"interrupted: {reason}" if reason else "interrupted"
    return ""
