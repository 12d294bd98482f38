"""One refresh of the page: what has changed about the runs since the last one, as updates of
components.

Every page asks again at each tick of its timer and is told "nothing new" for as long as nothing is.
What a page shows is kept in its `Seen`, so that an update goes out only for what differs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from ..toasts import speaking
from ..wiring import Part, Updates
from . import run_text
from .buttons import Buttons, start_button, stop_button
from .journals import Journals
from .run_view import CLASSIFY, RunView
from .seen import Seen

BUSY_SECONDS = 1.0
"""Between two ticks while a run goes on."""
LOG_LINES = 200

Notice = tuple[str, str]
"""(level, words)"""


@dataclass(frozen=True)
class Choice:
    """What a person has chosen to look at."""

    run: str
    """An older run; "" follows the newest."""
    compare: Sequence[str]
    smooth: bool
    log: bool
    blocked: str
    """Why nothing can be started, "" if something can."""


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
        self.choose = speaking(self._choose)
        """The same when a person has chosen a run: its first input is the list of runs."""

    @property
    def inputs(self) -> list[Component]:
        runs = self.view.runs
        curves = self.view.curves
        return [
            runs.chosen,
            self.view.seen,
            self.buttons.blocked,
            runs.compare,
            curves.smooth,
            curves.log,
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
            view.classify,
            view.adapter,
            view.go_on,
            view.interrupted,
            view.runs.shown,
            view.runs.chosen,
            view.runs.compare,
            curves.loss,
            curves.accuracy,
            curves.key,
            view.log,
            view.command,
            view.seen,
            view.notices,
        ]

    def _refresh(self, run: str, *settings: Any) -> Updates | Any:
        return self._updates(run, *settings) or gr.skip()

    def _choose(self, run: str, *settings: Any) -> Updates:
        """The newest run is followed from now on, an older one stays."""
        chosen = "" if run == self.training.status().run else run
        return {self.view.runs.chosen: chosen, **self._updates(chosen, *settings)}

    def _updates(
        self,
        run: str,
        seen: Seen | None,
        blocked: str,
        compare: list[str],
        smooth: bool,
        log: bool,
    ) -> Updates:
        choice = Choice(run, compare or [], smooth, log, blocked)
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
        self.seen.points_again = False
        self.points_again = seen.points_again
        self.first = seen.latest is None
        self.new_run = self.status.run != (seen.latest or "")
        self.run = choice.run or self.status.run
        self.compare = [other for other in choice.compare if other != self.run]
        self.smooth = choice.smooth
        self.log = choice.log
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
        changed = self.seen.differs("runs", (self.status.run, self.status.state))
        chosen = self.seen.differs("run", self.run)
        if not changed and not chosen:
            return {}
        self.seen.latest = self.status.run
        choices = run_text.choices(self.training.runs())
        others = [(line, run) for line, run in choices if run != self.run]
        return {
            self.view.runs.shown: gr.Dropdown(choices, value=self.run or None),
            self.view.runs.compare: gr.Dropdown(others),
            self.view.sketch: gr.HTML(visible=not self.run),
            self.view.stage: gr.Column(visible=bool(self.run)),
        }

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
        seconds = BUSY_SECONDS if busy or self.seen.points_again else IDLE_SECONDS
        if self.seen.differs("seconds", seconds):
            updates[self.timer] = gr.Timer(seconds)
        stopping = self.status.state is RunState.STOPPING
        if self.seen.differs("buttons", (self.status.run, busy, stopping, self.blocked)):
            updates[self.buttons.start] = start_button(busy, self.blocked)
            updates[self.buttons.stop] = stop_button(busy and not stopping)
        return updates

    def _shown_run(self) -> Updates:
        if not self.run:
            return {}
        others = {run: self.journals.events(run) for run in self.compare}
        card = self.training.run(self.run)
        lengths = [len(events) for events in (self.events, *others.values())]
        drawn = (self.run, card.state, lengths, self.smooth, self.log, self.compare)
        if not self.seen.differs("drawn", drawn) and not self.points_again:
            return {}
        buttons = {**self._classify_button(), **self._go_on_button(card)}
        return {**self._words(card), **buttons, **self._curves(others)}

    def _words(self, card: RunCard) -> Updates:
        view = self.view
        log = run_text.log_lines(self.events)[-LOG_LINES:]
        words: list[tuple[str, Component, str]] = [
            ("headline", view.headline, run_text.headline(card.state, self.events)),
            ("figures", view.figures, run_text.figures(self.events)),
            ("adapter", view.adapter, saved_adapter(self.events)),
            ("command", view.command, card.spec.command()),
            ("log", view.log, "\n".join(log)),
        ]
        return {
            part: value for name, part, value in words if self.seen.differs(name, (self.run, value))
        }

    def _classify_button(self) -> Updates:
        adapter = saved_adapter(self.events)
        ended = run_text.ended(self.events)
        if not self.seen.differs("classify", (adapter, ended)):
            return {}
        label = CLASSIFY if ended else "Classify with the best so far"
        return {self.view.classify: gr.Button(label, visible=bool(adapter))}

    def _go_on_button(self, card: RunCard) -> Updates:
        interrupted = card.id if card.state is RunState.INTERRUPTED else ""
        if not self.seen.differs("interrupted", interrupted):
            return {}
        button = gr.Button(visible=bool(interrupted))
        return {self.view.go_on: button, self.view.interrupted: interrupted}

    def _curves(self, others: Mapping[str, Sequence[ev.Event]]) -> Updates:
        runs = [self.events, *others.values()]
        lettered = dict(zip(charts.COMPARED, runs, strict=False))
        if others:
            loss = charts.compared_losses(lettered, self.smooth, self.log)
            accuracy = charts.accuracies(lettered)
        else:
            loss = charts.losses(self.events, self.smooth, self.log)
            accuracy = charts.accuracies({charts.VAL: self.events})
        steps = max(charts.steps(events) for events in runs)
        if self.seen.differs("axes", (self.run, self.compare, self.log, steps)):
            return {**self._new_axes(loss, accuracy, steps), **self._key(others)}
        curves = self.view.curves
        return {curves.loss: charts.frame(loss), curves.accuracy: charts.frame(accuracy)}

    def _new_axes(
        self, loss: Mapping[str, charts.Points], accuracy: Mapping[str, charts.Points], steps: int
    ) -> Updates:
        """The plots with changed settings, so that LinePlot draws axes and legend anew: when a run
        starts, not at every step. It may lose the points that come with the settings, so the next
        refresh sends them again.
        """
        self.seen.points_again = True
        x_lim: list[float | None] | None = [0.0, float(steps)] if steps else None
        title = "Loss, log10" if self.log else "Loss"
        loss_plot = gr.LinePlot(
            charts.frame(loss), x_lim=x_lim, colors_in_legend=list(loss), title=title
        )
        accuracy_plot = gr.LinePlot(
            charts.frame(accuracy), x_lim=x_lim, colors_in_legend=list(accuracy)
        )
        curves = self.view.curves
        return {curves.loss: loss_plot, curves.accuracy: accuracy_plot}

    def _key(self, others: Mapping[str, Sequence[ev.Event]]) -> Updates:
        names = {run.id: run_text.name_of(run) for run in self.training.runs()}
        lettered = zip(charts.COMPARED, [self.run, *others], strict=False)
        words = [f"**{letter}** {text.plain(names.get(run, run))}" for letter, run in lettered]
        return {self.view.curves.key: gr.Markdown(" · ".join(words), visible=bool(others))}

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
