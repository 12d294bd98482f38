"""The right half of Train: the run in progress or any earlier one, drawn from its journal.

One timer, one handler. It is never switched off, only slowed, so that a page that was open before somebody pressed
Start notices the run; it answers "nothing new" as long as nothing is.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ..contracts import events as ev
from ..contracts.cards import RunCard
from ..contracts.run_state import RunState
from ..contracts.service import Service
from . import charts, header, session, text
from .replay import Replay
from .stat_tiles import bar, tiles
from .toasts import QUEUED, UNQUEUED, speaking, toast

BUSY = 1.0
IDLE = 3.0
"""Seconds between two looks."""
LOG_LINES = 200

CLASSIFY = "Classify with this adapter"
EMPTY = (
    "### No run yet\nChoose images in **Data**, a method on the left, and press **Start training**. "
    "The curves appear here while it learns; on the bundled digits that takes about a minute."
)
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


@dataclass(frozen=True)
class Watch:
    sketch: gr.HTML
    """Where the chosen method stands; makes room for the first run."""
    stage: gr.Column
    """All but the headline; hidden until there is a run."""
    run: gr.Dropdown
    compare: gr.Dropdown
    headline: gr.Markdown
    progress: gr.HTML
    loss: gr.LinePlot
    accuracy: gr.LinePlot
    key: gr.Markdown
    """Which run is which letter, while several are compared."""
    smooth: gr.Checkbox
    log: gr.Checkbox
    classify: gr.Button
    adapter: gr.State
    """Adapter of the run shown, "" if there is none."""
    journal: gr.Textbox
    command: gr.Code
    timer: gr.Timer
    seen: gr.State
    """What this page shows already: see `_Look`."""
    said: gr.State
    """(level, words) of notices to be shown as toasts."""


def build(drawing: str) -> Watch:
    """Draws the half into the open context; `drawing` (SVG) stands there until there is a run."""
    headline = gr.Markdown(EMPTY, elem_id="headline")
    sketch = gr.HTML(drawing, elem_id="sketch")
    with gr.Column(visible=False) as stage:
        parts = _result_card() | _curves() | _past() | _papers()
    states = {
        "timer": gr.Timer(IDLE),
        "seen": gr.State({}),
        "said": gr.State([]),
        "adapter": gr.State(""),
    }
    return Watch(stage=stage, sketch=sketch, headline=headline, **parts, **states)


def _result_card() -> dict:
    progress = gr.HTML("", elem_id="progress")
    classify = gr.Button(
        CLASSIFY, variant="primary", size="md", visible=False, elem_id="classify-it"
    )
    return {"progress": progress, "classify": classify}


def _curves() -> dict:
    with gr.Row():
        with gr.Column(min_width=300):
            loss = _plot("Loss", "loss-plot", charts.TRAIN, charts.VAL)
        with gr.Column(min_width=300):
            accuracy = _plot(
                "Validation accuracy, %", "accuracy-plot", charts.VAL, y_lim=[0.0, 100.0]
            )
    key = gr.Markdown("", elem_classes="quiet", visible=False)
    with gr.Row():
        smooth = gr.Checkbox(False, label="Smooth the training loss", container=False)
        log = gr.Checkbox(False, label="Loss on a logarithmic scale", container=False)
    return {"loss": loss, "accuracy": accuracy, "key": key, "smooth": smooth, "log": log}


def _past() -> dict:
    with gr.Row():
        with gr.Column(scale=3, min_width=260):
            run = gr.Dropdown([], value=None, label="Run shown", filterable=False, elem_id="run")
        with gr.Column(scale=2, min_width=220):
            compare = gr.Dropdown(
                [],
                value=[],
                multiselect=True,
                max_choices=len(charts.COMPARED) - 1,
                label="Compare with",
                elem_id="compare",
            )
    return {"run": run, "compare": compare}


def _papers() -> dict:
    with gr.Accordion("Log", open=False):
        journal = gr.Textbox(
            "",
            lines=8,
            max_lines=14,
            show_label=False,
            interactive=False,
            buttons=["copy"],
            elem_id="journal",
        )
    with gr.Accordion("Reproduce this run", open=False):
        command = gr.Code(
            "",
            language="shell",
            interactive=False,
            show_label=False,
            wrap_lines=True,
            buttons=["copy"],
        )
    return {"journal": journal, "command": command}


def _plot(title: str, id: str, *legend: str, **more) -> gr.LinePlot:
    return gr.LinePlot(
        x="step", y="value", color="series", title=title, x_title="step", y_title=" ", color_title="", height=260,
        color_map=charts.COLOURS, colors_in_legend=list(legend), show_label=False, buttons=[], elem_id=id, **more,
    )  # fmt: skip


def wire(demo: gr.Blocks, service: Service, tab) -> None:
    """Connects Start, Stop, the timer and the run list of a `TrainTab`."""
    seen = tab.watch
    replay = Replay(service)
    look = _looker(service, tab, replay)
    inputs = [seen.seen, seen.run, seen.compare, seen.smooth, seen.log]
    outputs = [
        tab.header.status,
        tab.start,
        tab.stop,
        seen.run,
        seen.compare,
        seen.headline,
        seen.progress,
        seen.loss,
    ]
    outputs += [seen.accuracy, seen.key, seen.classify, seen.adapter, seen.journal, seen.command]
    outputs += [seen.timer, seen.seen, seen.said, seen.stage, seen.sketch]
    gr.on([demo.load, seen.timer.tick], look, inputs, outputs, trigger_mode="once", **UNQUEUED)
    changed = [seen.run.input, seen.compare.input, seen.smooth.input, seen.log.input]
    gr.on(changed, look, inputs, outputs, trigger_mode="always_last", **UNQUEUED)
    at_once = [seen.run, seen.seen, seen.headline, tab.start]
    started = tab.start.click(_starter(service, tab), {*tab.inputs, seen.seen}, at_once, **QUEUED)
    started.success(look, inputs, outputs, **UNQUEUED)
    seen.said.change(_toasts, seen.said, None, **QUEUED)
    tab.stop.click(_stopper(service), tab.data.client, None, **QUEUED).then(
        look, inputs, outputs, **UNQUEUED
    )


def _toasts(said: list) -> None:
    """On the queue, unlike the look that found them: a handler outside it has no toasts."""
    for level, words in said:
        toast(level, words)


def _starter(service: Service, tab):
    """Starts the run and takes the page to it in one answer: nothing of the run before stands beside its name."""

    def start(given):
        run = service.training.start(tab.spec(given), owner=session.known(given[tab.data.client]))
        words = f"### {HEADLINES[RunState.QUEUED]}"
        seen = given[tab.watch.seen] | {
            "told": {run: 0},
            "latest": run,
            "runs": None,
            "headline": words,
        }
        seen["busy"] = None  # what the buttons may do now is for the look that follows
        return {
            tab.watch.run: gr.Dropdown(run_choices(service.training.runs()), value=run),
            tab.watch.seen: seen,
            tab.watch.headline: words,
            tab.start: _start_button(busy=True),
        }

    return speaking(start)


def _start_button(busy: bool) -> gr.Button:
    return gr.Button("Training …" if busy else "Start training", interactive=not busy)


def _stopper(service: Service):
    def stop(client: str) -> None:
        status = service.training.status()
        if status.busy:
            service.training.stop(status.run, owner=session.known(client))

    return speaking(stop)


def _looker(service: Service, tab, replay: Replay):
    def look(seen: dict, shown: str | None, compare: list, smooth: bool, log: bool):
        view = _Look(service, replay, tab, seen, shown, compare or [], smooth, log)
        return view.updates() or gr.skip()

    return speaking(look)


class _Look:
    """One look at the service, as updates of what has changed since the page's last one (`seen`)."""

    def __init__(self, service, replay, tab, seen, shown, compare, smooth, log):
        self.service = service
        self.replay = replay
        self.tab = tab
        self.seen = dict(seen)
        self.again = self.seen.pop("again", False)
        self.status = service.training.status()
        self.first = "latest" not in self.seen
        self.fresh = self.status.run != self.seen.get("latest", "")
        self.shown = self._follow(shown)
        self.compare = [c for c in compare if c != self.shown]
        self.smooth = smooth
        self.log = log
        self.events = replay.events(self.shown) if self.shown else []

    def updates(self) -> dict:
        found = self._list() | self._run() | self._machine() | self._notices()
        return found | {self.tab.watch.seen: self.seen} if found else {}

    def _follow(self, shown: str | None) -> str:
        """The run to show: the newest one, unless the person has chosen an older one to look at."""
        was_latest = not shown or shown == self.seen.get("latest")
        return self.status.run if self.fresh and was_latest else shown or ""

    def _new(self, key: str, value) -> bool:
        """Whether the page does not show `value` yet; notes that it does now."""
        if key in self.seen and self.seen[key] == value:
            return False
        self.seen[key] = value
        return True

    def _list(self) -> dict:
        if not self._new("runs", [self.status.run, self.status.state]) and not self._new(
            "shown", self.shown
        ):
            return {}
        self.seen |= {"latest": self.status.run, "shown": self.shown}
        choices = run_choices(self.service.training.runs())
        found = {self.tab.watch.run: gr.Dropdown(choices, value=self.shown or None)}
        found |= {self.tab.watch.compare: gr.Dropdown([c for c in choices if c[1] != self.shown])}
        found |= {self.tab.watch.sketch: gr.HTML(visible=not self.shown)}
        return found | {self.tab.watch.stage: gr.Column(visible=bool(self.shown))}

    def _machine(self) -> dict:
        line = header.line(self.status, self.events)
        tab = self.tab
        busy = self.status.busy
        found = {tab.header.status: line} if self._new("line", line) else {}
        soon = BUSY if busy or self.seen.get("again") else IDLE
        found |= {tab.watch.timer: gr.Timer(soon)} if self._new("timer", soon) else {}
        if self._new("busy", [busy, self.status.state is RunState.STOPPING]):
            stoppable = busy and self.status.state is not RunState.STOPPING
            found |= {tab.start: _start_button(busy)}
            found |= {
                tab.stop: gr.Button(
                    interactive=stoppable, variant="stop" if stoppable else "secondary"
                )
            }
        return found

    def _run(self) -> dict:
        others = {run: self.replay.events(run) for run in self.compare}
        drawn = [
            self.shown,
            len(self.events),
            [len(e) for e in others.values()],
            self.smooth,
            self.log,
        ]
        if not self.shown or not (
            self._new("drawn", [*drawn, self.compare, self._card().state]) or self.again
        ):
            return {}
        seen = self.tab.watch
        card = self._card()
        adapter = ev.saved_adapter(self.events)
        words = {
            "headline": headline(card, self.events),
            "progress": figures(self.events),
            "adapter": adapter,
        }
        words |= {
            "command": card.spec.command(),
            "journal": "\n".join(log_lines(self.events)[-LOG_LINES:]),
        }
        found = {getattr(seen, name): said for name, said in words.items() if self._new(name, said)}
        if self._new("classify", [adapter, ended(self.events)]):
            label = CLASSIFY if ended(self.events) else "Classify with the best so far"
            found[seen.classify] = gr.Button(label, visible=bool(adapter))
        return found | self._curves(others)

    def _card(self) -> RunCard:
        return self.service.training.run(self.shown)

    def _curves(self, others: dict) -> dict:
        letters = dict(
            zip(charts.COMPARED, {self.shown: self.events, **others}.values(), strict=False)
        )
        if others:
            loss = charts.compared_losses(letters, self.smooth, self.log)
            accuracy = charts.accuracies(letters)
        else:
            loss = charts.losses(self.events, self.smooth, self.log)
            accuracy = charts.accuracies({charts.VAL: self.events})
        steps = max(map(charts.steps, letters.values()))
        if not self._new("layout", [self.shown, self.compare, self.log, steps]):
            return {
                self.tab.watch.loss: charts.frame(loss),
                self.tab.watch.accuracy: charts.frame(accuracy),
            }
        return self._laid_out(loss, accuracy, steps) | self._key(others)

    def _laid_out(self, loss: dict, accuracy: dict, steps: int) -> dict:
        """The plots with changed settings, so that LinePlot draws axes and legend anew: when a run starts, not at every
        step. It may lose the points that come with the settings, so the next look sends them again."""
        self.seen["again"] = True
        x_lim = [0.0, float(steps)] if steps else None
        title = "Loss, log10" if self.log else "Loss"
        settings = {"x_lim": x_lim, "colors_in_legend": list(loss), "title": title}
        of_accuracy = {"x_lim": x_lim, "colors_in_legend": list(accuracy)}
        return {
            self.tab.watch.loss: gr.LinePlot(charts.frame(loss), **settings),
            self.tab.watch.accuracy: gr.LinePlot(charts.frame(accuracy), **of_accuracy),
        }

    def _key(self, others: dict) -> dict:
        names = {r.id: name_of(r) for r in self.service.training.runs()}
        runs = zip(charts.COMPARED, [self.shown, *others], strict=False)
        said = " · ".join(f"**{letter}** {text.plain(names.get(run, run))}" for letter, run in runs)
        return {self.tab.watch.key: gr.Markdown(said, visible=bool(others))}

    def _notices(self) -> dict:
        """Toasts for what the run said since the page's last look; what it said before is in the log."""
        unheard = 0 if self.fresh and not self.first else len(self.events)
        told = self.seen.get("told", {}).get(self.shown, unheard)
        self.seen["told"] = {self.shown: len(self.events)}
        said = [notice for event in self.events[told:] if (notice := _notice(event))]
        return {self.tab.watch.said: said} if said else {}


def _notice(event: ev.Event) -> tuple[str, str] | None:
    match event:
        case ev.Noticed(level, words):
            return level, words
        case ev.Failed(words, hint):
            return "warning", f"{words} {hint}"
    return None


def run_choices(runs: Sequence[RunCard]) -> list[tuple[str, str]]:
    """Dropdown choices: adapter · shots · how it went."""
    return [(describe(r), r.id) for r in runs]


def describe(run: RunCard) -> str:
    """lora-digits-s0 · 16 shots · done, 95.1 %"""
    went = (
        f"{run.state}, {text.percent(run.val_accuracy)}"
        if run.val_accuracy is not None
        else run.state
    )
    return f"{name_of(run)} · {text.plural(run.spec.data.shots, 'shot')} · {went}"


def name_of(run: RunCard) -> str:
    """Its adapter's name; before there is one, what it trains on what."""
    data = run.spec.data.argument()
    return run.adapter or f"{run.spec.method} on {data}, seed {run.spec.seed}"


def headline(run: RunCard, events: Sequence[ev.Event]) -> str:
    """Markdown: what is going on, in one or two lines."""
    word = HEADLINES[run.state]
    last = events[-1] if events else None
    if isinstance(last, ev.Failed):
        return f"### Failed\n{text.plain(text.sentence(last.sentence))} {text.plain(text.sentence(last.hint))}"
    if isinstance(last, ev.Progressed):
        done = f" {100 * last.fraction:.0f} %" if last.fraction >= 0 else ""
        return f"### {word}\n{text.plain(last.what)}{done}"
    if isinstance(last, ev.Surveyed):
        return f"### Surveying\nMeasuring where the backbone is sensitive: batch {last.batch} of {last.batches}"
    return f"### {word}"


def ended(events: Sequence[ev.Event]) -> bool:
    return bool(events) and events[-1].final


def figures(events: Sequence[ev.Event]) -> str:
    """HTML of numbers only: a progress bar and tiles while it runs, the result once it is over."""
    last = events[-1] if events else None
    if isinstance(last, ev.Finished):
        return tiles(_result(last))
    steps = charts.steps(events)
    stepped = [e for e in events if isinstance(e, ev.Stepped)]
    if not steps:
        return bar(0)
    now = stepped[-1] if stepped else ev.Stepped(0, 0.0, 0.0, 0.0, 0.0, 0.0)
    return bar(now.step / steps) + tiles(_going(now, steps, events))


def _going(now: ev.Stepped, steps: int, events: Sequence[ev.Event]):
    best = max((e.accuracy for e in events if isinstance(e, ev.Evaluated)), default=None)
    yield "Step", f"{now.step} / {steps}", f"{text.seconds(now.eta_s)} left" if now.eta_s else ""
    yield "Training loss", f"{now.loss:.3f}" if now.step else "–", ""
    yield "Best validation", "–" if best is None else text.percent(best), ""
    yield "Speed", f"{now.images_per_second:.0f}", "images / s"
    yield "Memory", f"{now.memory_mb:.0f} MB", ""


def _result(end: ev.Finished):
    stopped = isinstance(end, ev.Stopped)
    why = "stopped early" if stopped else "no test images"
    yield (
        "Test accuracy",
        text.percent(end.test_accuracy),
        f"{end.test_images} images" if end.test_images else why,
    )
    yield "Validation accuracy", text.percent(end.val_accuracy), f"best, at step {end.best_step}"
    yield "Trained", text.count(end.trainable), f"and {text.count(end.head)} in the head"
    yield "Adapter file", text.size(end.file_bytes), ""
    yield "Time", text.seconds(end.seconds), f"{end.images_per_second:.0f} images / s"
    yield (
        "Backbone",
        "unchanged ✓" if end.unchanged else "CHANGED ✗",
        f"sha256 {end.fingerprint[:12]}",
    )


def log_lines(events: Sequence[ev.Event]) -> list[str]:
    """The journal in words; of the steps only those that were evaluated, or it would be all steps."""
    return [line for e in events if (line := _line(e))]


def _line(event: ev.Event) -> str:
    match event:
        case ev.Progressed(what, fraction):
            return what + (f" {100 * fraction:.0f} %" if fraction >= 0 else "")
        case ev.Started():
            seen = f"{event.train_images} images to train, {event.val_images} to validate, {event.test_images} to test"
            return f"{event.steps} steps on {event.device}; {seen}; {event.trainable} trainable + {event.head} head"
        case ev.Evaluated():
            best = "  best so far" if event.best else ""
            return f"step {event.step:5d}  validation loss {event.loss:.4f}  accuracy {event.accuracy:.4f}{best}"
        case ev.Saved():
            return f"step {event.step:5d}  saved {event.adapter} ({text.size(event.file_bytes)})"
        case ev.Noticed(level, words):
            return f"{level}: {words}"
        case ev.Failed(words, hint):
            return f"failed: {words} {hint}".rstrip()
        case ev.Finished():
            word = "stopped" if isinstance(event, ev.Stopped) else "finished"
            return f"{word} after {text.seconds(event.seconds)}; test accuracy {text.percent(event.test_accuracy)}"
        case ev.Interrupted():
            return "interrupted"
    return ""
