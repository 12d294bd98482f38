"""Comparisons of methods: grids of runs that a process of its own does, and the tables they give.

`record`      one comparison on disk
`process`     does its runs, and ends with this process
`results`     a line for each run
`contenders`  methods with their knobs, by their words
`rows`        lines as rows: means, spreads, costs
`best`        which of them cannot be told from the best
`table`       the same as the page shows it
`price`       how long it would take
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from threading import Lock

from ... import vit
from ...contracts.comparison import (
    ComparisonCard,
    ComparisonCost,
    ComparisonSpec,
    ComparisonTable,
    LearningCurve,
)
from ...contracts.errors import Busy, CannotResume, NotAllowed
from ...contracts.run_state import RunState
from ...storage.home import Home
from ..datasets import Datasets
from . import price, table
from .contenders import contenders
from .process import ComparisonProcess
from .record import ComparisonRecord, ComparisonRecords

ASSUMED_CLASSES = 10
"""Of a dataset that nobody has counted."""


class Comparisons:
    """The `contracts.service.Comparisons` of a home: one at a time, others wait in line.

    Without `starts`, what is done can be looked at and nothing can be started. Where the machine
    is `shared`, only the one who started a comparison may stop it.
    """

    def __init__(
        self,
        home: Home,
        data: Datasets,
        *,
        device: str,
        offline: bool,
        shared: bool = False,
        starts: bool = True,
    ):
        self.starts = starts
        self._home = home
        self._data = data
        self._device = device
        self._offline = offline
        self._shared = shared
        self._records = ComparisonRecords(home.comparisons)
        self._lock = Lock()
        self._process: ComparisonProcess | None = None
        self._line: list[ComparisonRecord] = []
        self._owners: dict[str, str] = {}

    def cost(self, spec: ComparisonSpec) -> ComparisonCost:
        contenders(",".join(spec.methods))
        source = vit.find(spec.backbone, self._home.root)
        size = vit.anatomy_of(source, spec.size).size
        counts = {card.name: len(card.classes) for card in self._data.datasets()}
        classes = [
            counts.get(data.name, ASSUMED_CLASSES) if data.source == "bundled" else ASSUMED_CLASSES
            for data in spec.data
        ]
        lines = [line for record in self._records.records() for line in record.lines()]
        return ComparisonCost(
            spec.runs, price.seconds(spec, classes, source.name, size, reversed(lines))
        )

    def start(self, spec: ComparisonSpec, owner: str = "") -> str:
        self._check_starts()
        self.cost(spec)
        for data in spec.data:
            self._data.locate(data)
        self._home.check_room()
        record = self._records.create(spec)
        self._enter(record, owner)
        return record.id

    def go_on(self, id: str, owner: str = "") -> None:
        self._check_starts()
        record = self._records.record(id)
        card = self._card(record)
        if card.state in (RunState.QUEUED, RunState.RUNNING):
            raise Busy("this comparison is going on already.")
        if card.state is RunState.DONE and not card.failed:
            raise CannotResume("all its runs are done.")
        record.go_on()
        self._enter(record, owner)

    def stop(self, id: str, owner: str = "") -> None:
        record = self._records.record(id)
        if self._shared and self._owners.get(id, owner) != owner:
            raise NotAllowed("this comparison was started by somebody else.", "Wait until it ends.")
        with self._lock:
            if record in self._line:
                self._line.remove(record)
                return
            process = self._process
            if process and process.record == record:
                process.stop()
                return
        if record.is_alive:
            raise NotAllowed("this comparison lives in another window.", "Stop it there.")

    def comparisons(self) -> list[ComparisonCard]:
        cards = [self._card(record) for record in self._records.records()]
        return [card for card in cards if self.starts or card.state is RunState.DONE]

    def table(self, id: str, shots: int = 0) -> ComparisonTable:
        record = self._records.record(id)
        return table.table(record.spec, record.lines(), shots or record.spec.shots[0])

    def curves(self, id: str, method: str, data: str, shots: int) -> list[LearningCurve]:
        return table.curves(self._records.record(id).lines(), method, data, shots)

    def runs(self, id: str) -> Sequence[Mapping[str, object]]:
        return self._records.record(id).lines()

    def wait(self, timeout: float | None = None) -> bool:
        """Waits until the comparison in progress has ended, at most `timeout` seconds; whether it
        has."""
        process = self._process
        return process is None or process.wait(timeout)

    def close(self) -> None:
        """Ends the comparison in progress; the runs that have ended are kept."""
        with self._lock:
            self._line.clear()
            process = self._process
        if process:
            process.stop()
            process.wait(5.0)

    def _check_starts(self) -> None:
        if not self.starts:
            raise NotAllowed(
                "comparisons are not started here.", "On a machine of your own they are."
            )

    def _enter(self, record: ComparisonRecord, owner: str) -> None:
        """Begins the comparison, or puts it in line."""
        with self._lock:
            self._owners[record.id] = owner
            if self._process is None:
                self._begin(record)
            else:
                self._line.append(record)

    def _begin(self, record: ComparisonRecord) -> None:
        self._process = ComparisonProcess(
            record, self._home, self._device, self._offline, self._next
        )

    def _next(self) -> None:
        """The one in progress has ended."""
        with self._lock:
            self._process = None
            if self._line:
                self._begin(self._line.pop(0))

    def _card(self, record: ComparisonRecord) -> ComparisonCard:
        card = record.card()
        process = self._process
        if record in self._line:
            card = replace(card, state=RunState.QUEUED)
        elif process and process.record == record:
            card = replace(card, state=RunState.RUNNING, doing=process.doing)
        return card if self._data.allows_local_paths else replace(card, spec=card.spec.public())
