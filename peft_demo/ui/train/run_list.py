"""The list of runs as HTML: what each was, what came of it, and what can be done with it.

The run that is shown has its buttons beside it, the others can be compared with it. Everything is
escaped.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape

from ...contracts.accuracy import in_words, range_in_words, right_of
from ...contracts.cards import RunCard
from ...contracts.run_state import RunState
from .. import text
from . import pressed

NEWEST = "newest"
SORTS = {
    NEWEST: "Newest first",
    "val": "Best validation",
    "test": "Best test",
    "name": "Name",
}
"""Order of the list → how the page calls it."""
NOTHING_FITS = "No run has these words."
STATES = {
    RunState.QUEUED: "waiting",
    RunState.STOPPED: "stopped",
    RunState.FAILED: "failed",
    RunState.INTERRUPTED: "interrupted",
}
"""Words for what came of a run without a figure; every other state is its own word."""


@dataclass(frozen=True)
class Wanted:
    """How a person wants the list."""

    words: str = ""
    """Only runs in which all of them occur."""
    sort: str = NEWEST
    shown: str = ""
    compare: Sequence[str] = ()
    most: int = 3
    """How many can be compared with the one that is shown."""


def draw(runs: Sequence[RunCard], wanted: Wanted, methods: Mapping[str, str]) -> str:
    """HTML: a line for each run that is wanted, but for those that wait. `methods` are their
    titles.
    """
    begun = [run for run in runs if not run.place]
    fitting = [run for run in begun if fits(run, wanted.words, methods)]
    lines = "".join(_line(run, wanted, methods) for run in ordered(fitting, wanted.sort))
    if not lines:
        return f'<p class="quiet">{NOTHING_FITS}</p>' if begun else ""
    return f'<ul class="runs">{lines}</ul>'


def fits(run: RunCard, words: str, methods: Mapping[str, str]) -> bool:
    """Whether every one of the words occurs in what its line says."""
    said = f"{name_of(run)} {run.adapter} {about(run, methods)} {outcome(run)}".casefold()
    return all(word in said for word in words.casefold().split())


def ordered(runs: Sequence[RunCard], sort: str) -> list[RunCard]:
    """The runs, latest first, in another order; those without the figure come last."""
    match sort:
        case "val":
            return sorted(runs, key=lambda run: -_or_less(run.val_accuracy))
        case "test":
            return sorted(runs, key=lambda run: -_or_less(run.test_accuracy))
        case "name":
            return sorted(runs, key=lambda run: name_of(run).casefold())
    return list(runs)


def _or_less(accuracy: float | None) -> float:
    return -1.0 if accuracy is None else accuracy


def name_of(run: RunCard) -> str:
    """Its title, or its adapter's name; before there is one, what it trains on what."""
    spec = run.spec
    return run.title or run.adapter or f"{spec.method} on {spec.data.argument()}, seed {spec.seed}"


def names_of(ids: Sequence[str], runs: Sequence[RunCard]) -> list[str]:
    """A name for each of these runs; those that share one are numbered."""
    cards = {run.id: run for run in runs}
    names: list[str] = []
    for id in ids:
        name = name_of(cards[id]) if id in cards else id
        again = sum(other == name or other.startswith(f"{name} (") for other in names)
        names.append(f"{name} ({again + 1})" if again else name)
    return names


def about(run: RunCard, methods: Mapping[str, str]) -> str:
    """LoRA · digits · 16 shots"""
    spec = run.spec
    method = methods.get(spec.method, spec.method)
    shots = text.plural(spec.data.shots, "shot")
    return f"{method} · {spec.data.argument()} · {shots}"


def outcome(run: RunCard) -> str:
    """91 of 100 right; where nothing was counted, its state."""
    if run.test_accuracy is not None and run.test_images:
        return _counted(run.test_accuracy, run.test_images)
    if run.state is RunState.STOPPED and not run.adapter:
        return "cancelled"
    return STATES.get(run.state, run.state)


def details(run: RunCard) -> str:
    """What to know of the outcome: how sure the figure is, or what validation said."""
    if run.test_accuracy is not None and run.test_images:
        return range_in_words(run.test_accuracy, run.test_images)
    if run.val_accuracy is not None and run.val_images:
        return f"validation {in_words(run.val_accuracy, run.val_images)}"
    return ""


def _counted(accuracy: float, images: int) -> str:
    return f"{right_of(accuracy, images):,} of {images:,} right"


def place_in_words(place: int) -> str:
    """1 → next in line, 2 → 2nd in line."""
    if place == 1:
        return "next in line"
    teen = place % 100 in (11, 12, 13)
    ending = "th" if teen else {1: "st", 2: "nd", 3: "rd"}.get(place % 10, "th")
    return f"{place}{ending} in line"


def when(started: str) -> str:
    """2026-11-28T14:32:05+00:00 → 28 Nov, 14:32, by the clock of this machine; "" for no time."""
    try:
        moment = datetime.fromisoformat(started).astimezone()
    except (ValueError, OverflowError):
        return ""
    return f"{moment.day} {moment:%b, %H:%M}"


def _line(run: RunCard, wanted: Wanted, methods: Mapping[str, str]) -> str:
    shown = run.id == wanted.shown
    look = ' aria-current="true"' if shown else ""
    small = [about(run, methods), when(run.started)]
    words = (
        f"<b>{escape(name_of(run))}</b><strong>{escape(outcome(run))}</strong>"
        f"<span>{escape(' · '.join(filter(None, small)))}</span>"
        f"<span>{escape(details(run))}</span>"
    )
    open_it = (
        f'<button type="button" class="open" data-act="show" data-id="{escape(run.id)}"{look}>'
        f"{words}</button>"
    )
    buttons = _own_buttons(run) if shown else _compare_button(run, wanted)
    return f'<li class="{run.state}">{open_it}<div class="acts">{buttons}</div></li>'


def _own_buttons(run: RunCard) -> str:
    name = escape(name_of(run))
    rename = pressed.button("rename", run.id, "Rename", f' aria-label="Rename {name}"')
    if not run.state.is_over:
        return rename
    return rename + pressed.button("delete", run.id, "Delete", f' aria-label="Delete {name}"')


def _compare_button(run: RunCard, wanted: Wanted) -> str:
    chosen = run.id in wanted.compare
    full = not chosen and len(wanted.compare) >= wanted.most
    label = escape(f"Compare with {name_of(run)}")
    state = "true" if chosen else "false"
    more = f' aria-pressed="{state}" aria-label="{label}"{" disabled" if full else ""}'
    return pressed.button("compare", run.id, "Compare", more)
