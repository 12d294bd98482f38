"""Runs that train nothing: each replays the script at its own pace."""

import time
from collections.abc import Sequence
from dataclasses import replace

from peft_demo.contracts import events as ev
from peft_demo.contracts.cards import Cost, MethodCard, RunCard, Status
from peft_demo.contracts.errors import Busy, CannotResume, UnknownName
from peft_demo.contracts.run_state import RunState, state_of
from peft_demo.contracts.specs import RunSpec

from .examples import METHODS, finished, script


class FakeTraining:
    """`pace` is the seconds that a run takes; 0 means it is over at once."""

    def __init__(self, pace: float):
        self.pace = pace
        self.began: dict[str, tuple[float, RunSpec]] = {}
        """Run → when it was started, and its spec."""
        self.cut: dict[str, int] = {}
        """Stopped run → number of its events until then."""
        self.died: set[str] = set()
        """Runs whose process has died, after half of their events."""

    def methods(self) -> Sequence[MethodCard]:
        return [replace(card) for card in METHODS]  # as the real one: new cards for each caller

    def cost(self, run: RunSpec, classes: int = 10) -> Cost:
        rank = run.knobs.get("rank", 8)
        return Cost(
            trainable=rank * 4608,
            head=193 * classes,
            share=rank * 0.0016,
            file_bytes=rank * 18_500,
            steps=classes * run.data.shots // 32 * 20 * max(1, run.tune),
        )

    def status(self) -> Status:
        if not self.began:
            return Status(RunState.IDLE)
        run = list(self.began)[-1]
        events, _ = self.follow(run)
        step = max((event.step for event in events if isinstance(event, ev.Stepped)), default=0)
        return Status(state_of(events), run, step, 100, (100 - step) * 0.1, "cpu", 410.0)

    def start(self, run: RunSpec, owner: str = "") -> str:
        if self.status().busy:
            raise Busy("another run is training.", "Stop it or wait until it is done.")
        id = f"run-{len(self.began)}"
        self.began[id] = (time.monotonic(), run)
        return id

    def resume(self, run: str = "", owner: str = "") -> str:
        if run not in self.died:
            raise CannotResume("this run has ended.")
        self.died.remove(run)
        return run

    def stop(self, run: str, owner: str = "") -> None:
        events, _ = self.follow(run)
        self.cut.setdefault(run, len(events))

    def runs(self) -> Sequence[RunCard]:
        return [self.run(id) for id in reversed(self.began)]

    def run(self, id: str) -> RunCard:
        if id not in self.began:
            raise UnknownName("run", id, self.began)
        _, spec = self.began[id]
        events, _ = self.follow(id)
        started = "2026-11-20T10:00:00+00:00"
        return RunCard(id, state_of(events), spec, started, "lora-digits-0", 0.951, 0.942)

    def follow(self, run: str, cursor: int = 0) -> tuple[Sequence[ev.Event], int]:
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
