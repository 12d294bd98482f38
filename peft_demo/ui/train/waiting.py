"""The runs that wait for the one in progress, as HTML: their places, and how to change them."""

from collections.abc import Mapping, Sequence
from html import escape

from ...contracts.cards import RunCard
from . import pressed
from .run_list import about, name_of, place_in_words

UP = "↑"
DOWN = "↓"


def draw(runs: Sequence[RunCard], methods: Mapping[str, str]) -> str:
    """A line for each run that waits, the next one first; "" if none does."""
    line = sorted((run for run in runs if run.place), key=lambda run: run.place)
    if not line:
        return ""
    lines = "".join(_line(run, len(line), methods) for run in line)
    return f'<h3>In line</h3><ol class="waiting">{lines}</ol>'


def _line(run: RunCard, count: int, methods: Mapping[str, str]) -> str:
    words = (
        f"<div><b>{escape(name_of(run))}</b>"
        f"<span>{place_in_words(run.place)} · {escape(about(run, methods))}</span></div>"
    )
    buttons = (
        _button("up", run, UP, "Earlier", run.place == 1)
        + _button("down", run, DOWN, "Later", run.place == count)
        + _button("cancel", run, "Cancel", "Cancel")
    )
    return f'<li data-id="{escape(run.id)}">{words}<div class="acts">{buttons}</div></li>'


def _button(act: str, run: RunCard, words: str, label: str, disabled: bool = False) -> str:
    name = escape(f"{label}: {name_of(run)}")
    more = f' aria-label="{name}"{" disabled" if disabled else ""}'
    return pressed.button(act, run.id, words, more)
