"""What has changed about the comparisons since a page looked last, as updates of components."""

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import gradio as gr

from ...contracts.comparison import ComparisonCard
from ...contracts.run_state import RunState
from ...contracts.service import Comparisons
from .. import text
from ..stat_tiles import bar
from ..titles import Titles
from ..toasts import speaking
from ..wiring import Part, Updates
from . import drawings, grid
from .grid import Place
from .view import EMPTY, NOTHING_HERE, CompareView

STATES = {
    RunState.QUEUED: "Waiting for the comparison before it",
    RunState.RUNNING: "Running",
    RunState.DONE: "Done",
    RunState.STOPPED: "Stopped; it can go on where it was",
    RunState.FAILED: "Ended early",
}
GOING = (RunState.QUEUED, RunState.RUNNING)


class Refresh:
    """The handler that refreshes the tab of one page."""

    def __init__(self, view: CompareView, comparisons: Comparisons, titles: Titles):
        self.view = view
        self.comparisons = comparisons
        self.titles = titles
        self.handler = speaking(self._refresh)

    def _refresh(
        self, chosen: str | None, shots: int | None, measure: str, place: str, seen: Any
    ) -> Updates | Any:
        known: dict[str, Any] = dict(seen or {})
        view = self.view
        values = self._values(chosen or "", shots or 0, measure, place)
        updates: Updates = {}
        for name, (part, value, update) in values.items():
            if known.get(name) != value:
                known[name] = value
                updates[part] = update
        if not updates:
            return gr.skip()
        return {**updates, view.seen: known}

    def _values(
        self, chosen: str, shots: int, measure: str, place: str
    ) -> Mapping[str, tuple[Part, Any, Any]]:
        """Name → (part of the page, what tells whether it has changed, its update)."""
        view = self.view
        cards = {card.id: card for card in self.comparisons.comparisons()}
        if not cards:
            words = EMPTY if self.comparisons.starts else NOTHING_HERE
            return {"headline": (view.headline, words, words)}
        card = cards.get(chosen) or next(iter(cards.values()))
        at = shots if shots in card.spec.shots else card.spec.shots[0]
        listed = [(name_of(each), each.id) for each in cards.values()]
        going = any(each.state in GOING for each in cards.values())
        can_go_on = self.comparisons.starts and _is_unfinished(card)
        runs = (card.id, card.done, card.failed, at)
        return {
            "headline": (view.headline, "", gr.Markdown("", visible=False)),
            "stage": (view.stage, True, gr.Column(visible=True)),
            "chosen": (view.chosen, (listed, card.id), gr.Dropdown(listed, value=card.id)),
            "progress": (view.progress, progress(card), progress(card)),
            "go_on": (view.go_on, can_go_on, gr.Button(visible=can_go_on)),
            "stop": (view.stop, card.state in GOING, gr.Button(visible=card.state in GOING)),
            "shots": (view.shots, (card.id, at), _shots(card, at)),
            "command": (view.command, card.id, card.spec.command()),
            "timer": (view.timer, going, gr.Timer(active=going)),
            **self._drawn(card, at, measure, place, runs),
        }

    def _drawn(
        self, card: ComparisonCard, shots: int, measure: str, place: str, runs: tuple
    ) -> Mapping[str, tuple[Part, Any, Any]]:
        view = self.view
        table = self.comparisons.table(card.id, shots)
        pressed = Place.read(place)
        drawing = drawings.costs(table, measure, self.titles)
        legend = text.plain(table.legend)
        return {
            "table": (
                view.table,
                (*runs, place),
                grid.draw(card.spec, table, self.titles, pressed),
            ),
            "legend": (view.legend, legend, legend),
            "scatter": (view.scatter, drawing, drawing),
            "cell": (view.cell, (*runs, place), self._cell(card, shots, pressed)),
        }

    def _cell(self, card: ComparisonCard, shots: int, place: Place) -> str:
        """HTML: how the runs of a cell learned, and what more shots bring."""
        curves = self.comparisons.curves(card.id, place.method, place.data, shots)
        if not curves:
            return ""
        drawn: Sequence[str] = drawings.learning(curves)
        tables = [self.comparisons.table(card.id, count) for count in card.spec.shots]
        more = drawings.over_shots(tables, place, self.titles)
        method = grid.title_of(place.method, self.titles)
        title = f"{method} on {place.data}, {text.plural(shots, 'shot')}"
        charts = "".join(f"<div>{drawing}</div>" for drawing in [*drawn, more] if drawing)
        return f'<h2>{escape(title)}</h2><div class="charts">{charts}</div>'


def name_of(card: ComparisonCard) -> str:
    """2026-11-29 10:59 · digits · 4 methods · 12 runs"""
    data = ", ".join(spec.argument() for spec in card.spec.data)
    when = card.started[:16].replace("T", " ")
    methods = text.plural(len(card.spec.methods), "method")
    return f"{when} · {data} · {methods} · {text.plural(card.spec.runs, 'run')}"


def progress(card: ComparisonCard) -> str:
    """HTML: how far it is and what it does."""
    ended = card.done + card.failed
    words = [f"<b>{escape(STATES.get(card.state, str(card.state)))}</b>"]
    words.append(f"{ended} of {card.spec.runs} runs")
    if card.failed:
        words.append(f"{card.failed} failed")
    details = escape(card.doing or text.sentence(card.problem))
    more = f'<p class="doing">{details}</p>' if details else ""
    state = f'<p class="state" role="status">{" · ".join(words)}</p>'
    return f"{state}{bar(ended / card.spec.runs)}{more}"


def _is_unfinished(card: ComparisonCard) -> bool:
    return card.state not in GOING and card.done < card.spec.runs


def _shots(card: ComparisonCard, at: int) -> gr.Radio:
    counts = card.spec.shots
    choices = [(str(count), count) for count in counts]
    return gr.Radio(choices, value=at, visible=len(counts) > 1)
