"""A run in words and figures: its headline, its tiles, its line in the list, its log."""

from collections.abc import Iterator, Sequence

from ...contracts import events as ev
from ...contracts.accuracy import in_short, in_words
from ...contracts.cards import RunCard
from ...contracts.history import kept_trial, trials_of
from ...contracts.run_state import RunState
from .. import charts, text
from ..stat_tiles import Tile, bar, table, tiles

HEADLINES = {
    RunState.QUEUED: "Waiting for the machine",
    RunState.PREPARING: "Preparing",
    RunState.RUNNING: "Training",
    RunState.STOPPING: "Stopping",
    RunState.DONE: "Finished",
    RunState.STOPPED: "Stopped, the best state was kept",
    RunState.FAILED: "Failed",
    RunState.INTERRUPTED: "Interrupted: the app was closed before the run ended",
}
"""State of a run → how it is announced."""
TRIAL_HEAD = ("Trial", "Settings", "Validation", "")


def headline(state: RunState, events: Sequence[ev.Event]) -> str:
    """Markdown: what is going on, in one or two lines."""
    word = HEADLINES[state]
    match events[-1] if events else None:
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


def _percent(fraction: float) -> str:
    """ " 40 %", empty where the fraction is unknown."""
    return f" {100 * fraction:.0f} %" if fraction >= 0 else ""


def choices(runs: Sequence[RunCard]) -> list[tuple[str, str]]:
    """Dropdown choices, (line, id)."""
    return [(describe(run), run.id) for run in runs]


def describe(run: RunCard) -> str:
    """lora-digits-s0 · 16 shots · done, 95.1 %"""
    outcome = run.state
    if run.val_accuracy is not None:
        outcome = f"{run.state}, {text.percent(run.val_accuracy)}"
    return f"{name_of(run)} · {text.plural(run.spec.data.shots, 'shot')} · {outcome}"


def name_of(run: RunCard) -> str:
    """Its adapter's name; before there is one, what it trains on what."""
    data = run.spec.data.argument()
    return run.adapter or f"{run.spec.method} on {data}, seed {run.spec.seed}"


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
        accuracy = "–" if trial.problem else text.percent(trial.accuracy)
        yield f"{trial.trial} / {trial.trials}", trial.settings, accuracy, note


def _figures(events: Sequence[ev.Event]) -> str:
    last = events[-1] if events else None
    if isinstance(last, ev.Finished):
        return tiles(_result(last))
    steps = charts.steps(events)
    if not steps:
        return bar(0)
    stepped = [event for event in events if isinstance(event, ev.Stepped)]
    if not stepped:
        return bar(0) + tiles([Tile("Step", f"0 / {steps}")])
    latest = stepped[-1]
    return bar(latest.step / steps) + tiles(_progress(latest, steps, events))


def _progress(now: ev.Stepped, steps: int, events: Sequence[ev.Event]) -> Iterator[Tile]:
    accuracies = [event.accuracy for event in events if isinstance(event, ev.Evaluated)]
    best = text.percent(max(accuracies)) if accuracies else "–"
    left = f"{text.seconds(now.eta_s)} left" if now.eta_s and not ended(events) else ""
    yield Tile("Step", f"{now.step} / {steps}", left)
    yield Tile("Training loss", f"{now.loss:.3f}")
    yield Tile("Best validation", best)
    yield Tile("Speed", f"{now.images_per_second:.0f}", "images / s")
    yield Tile("Memory", f"{now.memory_mb:.0f} MB")


def _result(end: ev.Finished) -> Iterator[Tile]:
    tested = in_words(end.test_accuracy, end.test_images)
    if not end.test_images:
        tested = "stopped early" if isinstance(end, ev.Stopped) else "no test images"
    frozen = "unchanged ✓" if end.unchanged else "CHANGED ✗"
    yield Tile("Test accuracy", in_short(end.test_accuracy, end.test_images), tested)
    yield Tile(
        "Validation accuracy", text.percent(end.val_accuracy), f"best, at step {end.best_step}"
    )
    yield Tile("Trained", text.count(end.trainable), f"and {text.count(end.head)} in the head")
    yield Tile("Adapter file", text.size(end.file_bytes))
    yield Tile("Time", text.seconds(end.seconds), f"{end.images_per_second:.0f} images / s")
    yield Tile("Backbone", frozen, f"sha256 {end.fingerprint[:12]}")


def log_lines(events: Sequence[ev.Event]) -> list[str]:
    """The journal in words. Of the steps only those that were evaluated, or it
    would be all steps.
    """
    lines = (_line(event) for event in events)
    return [line for line in lines if line]


def _line(event: ev.Event) -> str:
    match event:
        case ev.Progressed(what, fraction):
            return what + _percent(fraction)
        case ev.Started():
            return (
                f"{event.steps} steps on {event.device}; {event.train_images} images to train, "
                f"{event.val_images} to validate, {event.test_images} to test; "
                f"{event.trainable} trainable + {event.head} head"
            )
        case ev.Evaluated():
            best = "  best so far" if event.best else ""
            return (
                f"step {event.step:5d}  validation loss {event.loss:.4f}  "
                f"accuracy {event.accuracy:.4f}{best}"
            )
        case ev.Tried():
            accuracy = event.problem or f"accuracy {text.percent(event.accuracy)}"
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
