"""Runs that train nothing: each replays the script at its own pace, one after the other."""

import time
from collections.abc import Sequence
from dataclasses import replace

from peft_demo.contracts import events as ev
from peft_demo.contracts.cards import Cost, MethodCard, RunCard, Sample, Status
from peft_demo.contracts.errors import CannotResume, NotAllowed, UnknownName
from peft_demo.contracts.run_state import RunState, state_of
from peft_demo.contracts.specs import RunSpec

from .examples import METHODS, finished, picture, script


class FakeTraining:
    """`pace` is the seconds that a run takes; 0 means it is over at once."""

    def __init__(self, pace: float):
        self.pace = pace
        self.queues = True
        self.began: dict[str, tuple[float, RunSpec]] = {}
        """Run → when it was started, and its spec."""
        self.line: dict[str, RunSpec] = {}
        """Runs that wait, in their order."""
        self.cut: dict[str, int] = {}
        """Stopped run → number of its events until then."""
        self.died: set[str] = set()
        """Runs whose process has died, after half of their events."""
        self.titles: dict[str, str] = {}
        self.trash: dict[str, tuple[float, RunSpec]] = {}
        self._count = 0

    def methods(self) -> Sequence[MethodCard]:
        return [replace(card) for card in METHODS]  # as the real one: new cards for each caller

    def cost(self, run: RunSpec, classes: int = 10, images: int = 0) -> Cost:
        rank = run.knobs.get("rank", 8)
        return Cost(
            trainable=rank * 4608,
            head=193 * classes,
            share=rank * 0.0016,
            file_bytes=rank * 18_500,
            steps=(images or classes * run.data.shots) // 32 * 20 * max(1, run.tune),
        )

    def status(self) -> Status:
        status = self._status()
        if self.line and not status.busy:
            run = next(iter(self.line))
            self.began[run] = (time.monotonic(), self.line.pop(run))
            status = self._status()
        return replace(status, queues=self.queues)

    def _status(self) -> Status:
        if not self.began:
            return Status(RunState.IDLE)
        run = list(self.began)[-1]
        events, _ = self.follow(run)
        step = max((event.step for event in events if isinstance(event, ev.Stepped)), default=0)
        return Status(state_of(events), run, step, 100, (100 - step) * 0.1, "cpu", 410.0)

    def start(self, run: RunSpec, owner: str = "") -> str:
        id = f"run-{self._count}"
        self._count += 1
        if self.status().busy:
            self.line[id] = run
        else:
            self.began[id] = (time.monotonic(), run)
        return id

    def resume(self, run: str = "", owner: str = "") -> str:
        if run not in self.died:
            raise CannotResume("this run has ended.")
        self.died.remove(run)
        return run

    def stop(self, run: str, owner: str = "") -> None:
        if self.line.pop(run, None):
            return
        events, _ = self.follow(run)
        self.cut.setdefault(run, len(events))

    def move(self, run: str, places: int, owner: str = "") -> None:
        order = list(self.line)
        place = max(0, order.index(run) + places)
        order.remove(run)
        order.insert(place, run)
        self.line = {id: self.line[id] for id in order}

    def rename_run(self, run: str, title: str) -> None:
        self.titles[run] = title

    def delete_run(self, run: str) -> str:
        if not self.run(run).state.is_over:
            raise NotAllowed("this run is not over.", "Stop or cancel it first.")
        self.trash[run] = self.began.pop(run)
        return run

    def restore_run(self, deleted: str) -> str:
        self.began = {deleted: self.trash.pop(deleted), **self.began}
        return deleted

    def samples(self, run: str) -> Sequence[Sample]:
        answers = ("3", "1")
        return [Sample("3", picture(answer), answer, 0.9) for answer in reversed(answers)]

    def runs(self) -> Sequence[RunCard]:
        return [self.run(id) for id in reversed([*self.began, *self.line])]

    def run(self, id: str) -> RunCard:
        started = "2026-11-20T10:00:00+00:00"
        title = self.titles.get(id, "")
        if id in self.line:
            place = 1 + list(self.line).index(id)
            spec = self.line[id]
            return RunCard(id, RunState.QUEUED, spec, started, title=title, place=place)
        if id not in self.began:
            raise UnknownName("run", id, self.began)
        events, _ = self.follow(id)
        state = state_of(events)
        card = RunCard(id, state, self.began[id][1], started, "lora-digits-0", title=title)
        if state is not RunState.DONE:
            return card
        return replace(
            card, val_accuracy=0.951, val_images=160, test_accuracy=0.942, test_images=360
        )

    def follow(self, run: str, cursor: int = 0) -> tuple[Sequence[ev.Event], int]:
        if run in self.line:
            return [ev.Queued()][cursor:], 1
        if run not in self.began:
            raise UnknownName("run", run, self.began)
        events = self._events(run)
        return events[cursor:], len(events)

    def _events(self, run: str) -> list[ev.Event]:
        """The events so far."""
        events = script()
        if run in self.died:
            return [*events[: len(events) // 2], ev.Interrupted()]
        if run in self.cut:
            return [*events[: self.cut[run]], finished(50, ev.Stopped)]
        if not self.pace:
            return events
        began, _ = self.began[run]
        age = time.monotonic() - began
        return events[: int(len(events) * age / self.pace)]
