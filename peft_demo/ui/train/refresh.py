"""One refresh of the page: what has changed about the runs since the last one, as updates of
components.

Every page asks again at each tick of its timer and is told "nothing new" for as long as nothing is.
What a page shows is kept in its `Seen`, so that an update goes out only for what differs.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from ...contracts import events as ev
from ...contracts.cards import RunCard
from ...contracts.history import saved_adapter
from ...contracts.run_state import RunState
from ...contracts.service import Training
from .. import charts, text
from ..header import Header, run_bar, status_line
from ..page import IDLE_SECONDS
from ..titles import method_titles
from ..toasts import speaking
from ..wiring import Part, Updates
from . import curves, held_out, run_list, run_text, waiting
from .buttons import Buttons, start_button, stop_button
from .journals import Journals
from .run_list import Wanted, names_of
from .run_view import CLASSIFY, EMPTY, LOG, RunView
from .seen import Choice, Seen

BUSY_SECONDS = 1.0
"""Between two ticks while a run goes on."""
LOG_LINES = 200
MOST_COMPARED = charts.COLOURS - 1
"""Runs beside the one that is shown."""

Notice = tuple[str, str]
"""(level, words)"""


class Refresh:
    """The handler that refreshes a page."""

    def __init__(
        self,
        view: RunView,
        buttons: Buttons,
        header: Header,
        timer: gr.Timer,
        training: Training,
    ):
        self.view = view
        self.buttons = buttons
        self.header = header
        self.timer = timer
        self.training = training
        self.journals = Journals(training)
        self.handler = speaking(self._refresh)
        self.opened = speaking(self._opened)
        """The first refresh of a page: nothing has been chosen, so it asks the browser nothing."""
        self.csv = speaking(self._csv)
        """The handler that writes the figures of the run shown and of those beside it."""
        self.methods = method_titles(training)

    @property
    def inputs(self) -> list[Component]:
        runs = self.view.runs
        curves = self.view.curves
        return [
            runs.chosen,
            self.view.seen,
            self.buttons.blocked,
            runs.compare,
            runs.words,
            runs.sort,
            curves.axis,
            curves.log,
            self.view.opened,
        ]

    @property
    def outputs(self) -> list[Part]:
        view = self.view
        curves = view.curves
        return [
            self.header.status,
            self.header.bar,
            self.timer,
            self.buttons.start,
            self.buttons.stop,
            view.headline,
            view.sketch,
            view.stage,
            view.figures,
            view.facts,
            view.held_out,
            view.classify,
            view.adapter,
            view.go_on,
            view.interrupted,
            view.runs.waiting,
            view.runs.lines,
            *curves.drawn.values(),
            view.log,
            view.command,
            view.seen,
            view.notices,
        ]

    def _refresh(self, run: str, *settings: Any) -> Updates | Any:
        return self._updates(run, *settings) or gr.skip()

    def _csv(self, run: str, compare: Sequence[str]) -> str:
        shown = run or self.training.status().run
        runs = dict.fromkeys([shown, *compare]) if shown else {}
        return curves.as_csv({run: self.journals.events(run) for run in runs})

    def _opened(self) -> Updates:
        choice = Choice(blocked=self.buttons.blocked.value)
        return _Look(self, Seen(), choice).updates()

    def _updates(
        self,
        run: str,
        seen: Seen | None,
        blocked: str,
        compare: list[str],
        words: str,
        sort: str,
        axis: str,
        log: bool,
        opened: Sequence[str],
    ) -> Updates:
        choice = Choice(run, compare or [], words or "", sort, axis, log, opened, blocked)
        return _Look(self, seen or Seen(), choice).updates()


class _Look:
    """One look at the runs, for one page."""

    def __init__(self, refresh: Refresh, seen: Seen, choice: Choice):
        self.view = refresh.view
        self.buttons = refresh.buttons
        self.header = refresh.header
        self.timer = refresh.timer
        self.training = refresh.training
        self.journals = refresh.journals
        self.status = self.training.status()
        self.seen = seen.copy()
        self.first = seen.latest is None
        if self.first and not self.status.busy:
            self.seen.earlier = self.status.run
        self.new_run = self.status.run != (seen.latest or "")
        self.methods = refresh.methods
        self.cards = self.training.runs()
        ids = [card.id for card in self.cards]
        self.run = choice.run if choice.run in ids else self.status.run
        self.compare = [run for run in choice.compare if run in ids and run != self.run]
        self.wanted = Wanted(choice.words, choice.sort, self.run, self.compare, MOST_COMPARED)
        self.axis = choice.axis
        self.log = choice.log
        self.opened = choice.opened
        self.blocked = choice.blocked
        self.events = self.journals.events(self.run) if self.run else []

    def updates(self) -> Updates:
        """Everything that has changed; empty if nothing has."""
        updates: Updates = {
            **self._run_list(),
            **self._shown_run(),
            **self._status(),
            **self._notices(),
        }
        if updates:
            updates[self.view.seen] = self.seen
        return updates

    def _run_list(self) -> Updates:
        view = self.view
        self.seen.latest = self.status.run
        lines = run_list.draw(self.cards, self.wanted, self.methods)
        in_line = waiting.draw(self.cards, self.methods)
        updates: Updates = {}
        if self.seen.differs("runs", lines):
            updates[view.runs.lines] = lines
        if self.seen.differs("waiting", in_line):
            updates[view.runs.waiting] = gr.HTML(in_line, visible=bool(in_line))
        if self.seen.differs("any", bool(self.run)):
            updates[view.sketch] = gr.HTML(visible=not self.run)
            updates[view.stage] = gr.Column(visible=bool(self.run))
            if not self.run:
                updates[view.headline] = EMPTY
        return updates

    def _status(self) -> Updates:
        updates: Updates = {}
        busy = self.status.busy
        line = status_line(self.status, self.events)
        if self.seen.differs("status", line):
            updates[self.header.status] = line
        self.seen.was_busy |= busy
        bar = run_bar(self.status, self.seen.was_busy)
        if self.seen.differs("bar", bar):
            updates[self.header.bar] = bar
        seconds = BUSY_SECONDS if busy else IDLE_SECONDS
        if self.seen.differs("seconds", seconds):
            updates[self.timer] = gr.Timer(seconds)
        stopping = self.status.state is RunState.STOPPING
        if self.seen.differs("buttons", (self.status.run, busy, stopping, self.blocked)):
            updates[self.buttons.start] = start_button(self.status, self.blocked)
            updates[self.buttons.stop] = stop_button(busy and not stopping)
        return updates

    def _shown_run(self) -> Updates:
        if not self.run:
            return {}
        others = {run: self.journals.events(run) for run in self.compare}
        card = self.training.run(self.run)
        lengths = [len(events) for events in (self.events, *others.values())]
        names = [card.title for card in self.cards]
        wishes = (self.axis, self.log, self.opened)
        drawn = (self.run, card.state, lengths, *wishes, self.compare, names)
        if not self.seen.differs("drawn", drawn):
            return {}
        buttons = {**self._classify_button(), **self._go_on_button(card)}
        return {**self._words(card), **buttons, **self._held_out(), **self._curves(others)}

    def _words(self, card: RunCard) -> Updates:
        view = self.view
        words: list[tuple[str, Component, str]] = [
            ("headline", view.headline, self._headline(card)),
            ("figures", view.figures, run_text.figures(self.events)),
            ("facts", view.facts, run_text.facts(self.events)),
            ("adapter", view.adapter, saved_adapter(self.events)),
            ("command", view.command, card.spec.command()),
        ]
        if LOG in self.opened:
            lines = run_text.log_lines(self.events)[-LOG_LINES:]
            words.append(("log", view.log, "\n".join(lines)))
        return {
            part: value for name, part, value in words if self.seen.differs(name, (self.run, value))
        }

    def _headline(self, card: RunCard) -> str:
        words = run_text.headline(card.state, self.events)
        if self.run != self.seen.earlier:
            return words
        return f"Earlier run: **{text.plain(card.title)}**\n\n{words}"

    def _held_out(self) -> Updates:
        """The pictures that the run has kept, once it has ended."""
        ended = self.run if run_text.ended(self.events) else ""
        if not self.seen.differs("held_out", ended):
            return {}
        samples = self.training.samples(ended) if ended else ()
        return {self.view.held_out: gr.HTML(held_out.draw(samples), visible=bool(samples))}

    def _classify_button(self) -> Updates:
        adapter = saved_adapter(self.events)
        ended = run_text.ended(self.events)
        if not self.seen.differs("classify", (adapter, ended)):
            return {}
        label = CLASSIFY if ended else "Classify with it as it is"
        return {self.view.classify: gr.Button(label, visible=bool(adapter))}

    def _go_on_button(self, card: RunCard) -> Updates:
        interrupted = card.id if card.state is RunState.INTERRUPTED else ""
        if not self.seen.differs("interrupted", interrupted):
            return {}
        button = gr.Button(visible=bool(interrupted))
        return {self.view.go_on: button, self.view.interrupted: interrupted}

    def _curves(self, others: Mapping[str, Sequence[ev.Event]]) -> Updates:
        runs = names_of([self.run, *others], self.cards)
        events = dict(zip(runs, [self.events, *others.values()], strict=True))
        drawings = curves.draw(events, self.axis, self.log, self.opened)
        parts = self.view.curves.drawn
        changed = {name: html for name, html in drawings.items() if self.seen.differs(name, html)}
        return {parts[name]: html for name, html in changed.items()}

    def _notices(self) -> Updates:
        """Toasts for what happened since the page's last refresh; what happened before stands in
        the log.
        """
        unseen_run_from = 0 if self.new_run and not self.first else len(self.events)
        start = self.seen.announced.get(self.run, unseen_run_from)
        self.seen.announced = {self.run: len(self.events)}
        notices = [notice for event in self.events[start:] if (notice := _notice(event))]
        return {self.view.notices: notices} if notices else {}


def _notice(event: ev.Event) -> Notice | None:
    match event:
        case ev.Noticed(level, words):
            return level, words
        case ev.Failed(words, hint):
            return "warning", f"{words} {hint}"
    return None
