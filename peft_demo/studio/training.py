"""Training on this machine: what there is to choose, what it costs, and the runs.

The room `training` is imported when it is first needed: a page that only answers never loads it.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import methods, vit
from ..adapters import AdapterFile
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import Cost, MethodCard, RunCard, Sample, Status
from ..contracts.errors import BadData, BadValue, CannotResume, NotAllowed
from ..contracts.events import Event
from ..contracts.history import saved_adapter
from ..contracts.origin import Origin
from ..contracts.progress import Report
from ..contracts.run_state import RunState
from ..contracts.specs import DataSpec, RunSpec
from ..storage.atomic import write_file
from ..storage.home import Home
from ..storage.paths import expanded
from .adapter_store import AdapterStore
from .backbone_cache import BackboneCache
from .datasets import Datasets, check_local_paths
from .held_out import samples_of
from .job import Keep
from .jobs import Jobs
from .runs import Record, Runs

if TYPE_CHECKING:
    from ..training import Trainer


Admit = Callable[[RunSpec], AbstractContextManager]
"""A context in which the run is started, or an error that says why it may not be."""


class Training:
    """The `contracts.service.Training` of a home: one run at a time, kept in the `store`.

    Where the machine is `shared`, only the one who started a run may stop it. `trainer` is what
    trains, where that is not `training.train` in this process. `mark` is part of every run's id.
    `admit` may refuse a run, which may take `memory_share` of the free memory.
    """

    def __init__(
        self,
        home: Home,
        store: AdapterStore,
        backbones: BackboneCache,
        data: Datasets,
        *,
        device: str,
        allow_local_paths: bool,
        shared: bool,
        trainer: "Trainer | None" = None,
        mark: str = "",
        admit: Admit = nullcontext,
        memory_share: float = 1.0,
    ):
        self._home = home
        self._store = store
        self._backbones = backbones
        self._data = data
        self._device = device
        self._allow_local_paths = allow_local_paths
        self._shared = shared
        self._trainer = trainer
        self._admit = admit
        self._memory_share = memory_share
        self._runs = Runs(home.runs, mark)
        self._jobs = Jobs(self._runs, self._events, store.save)

    def methods(self) -> list[MethodCard]:
        return [method.card() for method in methods.methods().values()]

    def cost(self, run: RunSpec, classes: int = 10) -> Cost:
        from ..training import cost

        if run.origin:
            id = self._store.find(run.origin.adapter, self._allow_local_paths)
            card = self._store.card(id)
            name = self._name_of(card)
            run = replace(run, method=card.method, knobs=card.knobs, backbone=name, size=card.size)
        return cost(run, self._anatomy(run), classes)

    def status(self) -> Status:
        if self._jobs.job is not None:
            return replace(self._jobs.job.status(), device=self._device)
        records = self._runs.records()
        if not records or not records[0].journal.ended():
            return Status(RunState.IDLE, device=self._device)
        latest = records[0]
        return Status(self._runs.card(latest).state, latest.id, device=self._device)

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return self._jobs.running is not None

    def start(self, run: RunSpec, owner: str = "", out: Path | None = None) -> str:
        """Starts a run in the background and gives its id; `Busy` if one is going on.

        What is wrong with the spec is refused at once. Where the file `out` is given, the adapter
        goes there instead of into the zoo. A run with an origin may leave its method open ("").
        """
        if run.origin:
            run = self._going_on(run, run.origin)
        config = methods.find_method(run.method).config(run.knobs)
        checked = {name: getattr(config, name) for name in run.knobs}
        run = _named(replace(run, knobs=checked))
        anatomy = self._anatomy(run)
        self._data.locate(run.data)
        keep = None
        if out is not None:
            check_local_paths(self._allow_local_paths, "a file of this machine")
            out = out.absolute()
            _check_apart(out, run.origin)
            keep = _writer(out)
        self._home.check_room()
        with self._admit(replace(run, size=anatomy.size)):
            return self._jobs.start(run, owner, keep, str(out or ""))

    def resume(self, run: str = "", owner: str = "") -> str:
        """An interrupted run goes on in the background, the latest one where none is named; its id.

        It ends with the same bits as if it had never been interrupted. `CannotResume` or `Busy`
        says why it cannot. What is found out later (other images, other weights) leaves it
        interrupted.
        """
        record = self._runs.record(run or self._latest_interrupted())
        keep = None
        if record.out:
            check_local_paths(self._allow_local_paths, "a file of this machine")
            keep = _writer(Path(record.out))
        self._home.check_room()
        size = self._anatomy(record.spec).size
        with self._admit(replace(record.spec, size=size)):
            return self._jobs.resume(record, owner, keep, self._saved_by(record))

    def _latest_interrupted(self) -> str:
        for record in self._runs.records():
            if self._card(record).state is RunState.INTERRUPTED:
                return record.id
        raise CannotResume("no run was interrupted.", "`train` starts a new one.")

    def _saved_by(self, record: Record) -> str:
        """The adapter that an earlier part of the run has saved, "" if it is there no longer.

        A process may have died after it wrote the adapter and before it told so.
        """
        told = saved_adapter(record.journal.read()[0])
        if record.out:
            return told
        for entry in self._store.entries():
            of_this_run = entry.card and record.may_have_made(entry.card)
            if of_this_run and not entry.shipped and told in ("", entry.id):
                return entry.id
        return ""

    def stop(self, run: str, owner: str = "") -> None:
        job = self._jobs.running
        foreign = job is not None and job.record.id == run and job.owner != owner
        if self._shared and foreign:
            raise NotAllowed("this run was started by somebody else.", "Wait until it ends.")
        self._jobs.stop(run)

    def runs(self) -> list[RunCard]:
        return [self._card(record) for record in self._runs.records()]

    def run(self, id: str) -> RunCard:
        return self._card(self._runs.record(id))

    def follow(self, run: str, cursor: int = 0) -> tuple[list[Event], int]:
        return self._runs.record(run).journal.read(cursor)

    def held_out(self, id: str, card: AdapterCard) -> Sequence[Sample]:
        """The held-out pictures of the run that made the adapter `id`, nothing if it was not made
        here."""
        return samples_of(self._runs, id, card)

    def data_of(self, id: str, card: AdapterCard) -> DataSpec:
        """The images of the run that made the adapter `id`, as they can be found here.

        `BadData` where they cannot.
        """
        record = self._runs.maker(id, card)
        spec = record.spec.data if record else RunSpec.from_json(card.spec).data
        if record is None and spec.source not in ("bundled", "hub"):
            raise BadData(
                "the images that it was tested on are not on this machine.",
                "Evaluate it on other data.",
            )
        return spec

    def wait(self, timeout: float | None = None) -> bool:
        """Waits for the run in progress, at most `timeout` seconds; whether it has ended."""
        return self._jobs.wait(timeout)

    def settle(self) -> None:
        """Marks runs whose process died as interrupted, and removes what never began."""
        self._runs.settle()

    def close(self) -> None:
        """Stops a run in progress, keeping its best."""
        self._jobs.close()

    def _events(
        self, run: RunSpec, report: Report, stop: Callable[[], bool], state: bytes
    ) -> Generator[Event, None, None]:
        from ..training import run_from_dataset, train

        origin = self._open_origin(run.origin) if run.origin else None
        report("loading the backbone")
        backbone = self._backbones.get(run.backbone, run.size, report=report)
        report("reading the images")
        dataset = self._data.open(run.data, report)
        yield from run_from_dataset(
            run,
            backbone,
            dataset,
            report,
            stop,
            trainer=self._trainer or train,
            turn=self._data.turn(run.data, report),
            memory_share=self._memory_share,
            state=state,
            origin=origin,
        )

    def _going_on(self, run: RunSpec, origin: Origin) -> RunSpec:
        """The run with all that it takes from its origin."""
        from ..training import going_on

        id = self._store.find(origin.adapter, self._allow_local_paths)
        file = self._open_origin(origin)
        card = file.card
        run = going_on(replace(run, origin=replace(origin, adapter=id)), file)
        if run.backbone == card.backbone:  # it may go by another name here
            run = replace(run, backbone=self._name_of(card))
        return run

    def _name_of(self, card: AdapterCard) -> str:
        return vit.find(card.backbone, self._home.root, card.fingerprint).name

    def _open_origin(self, origin: Origin) -> AdapterFile:
        id = self._store.find(origin.adapter, self._allow_local_paths)
        return AdapterFile.open(self._store.path(id))

    def _anatomy(self, run: RunSpec) -> vit.Anatomy:
        return vit.anatomy_of(vit.find(run.backbone, self._home.root), run.size)

    def _card(self, record: Record) -> RunCard:
        """The run's line; of the one in progress, as it stands at this moment.

        What is private of its data is shown only where paths may be named.
        """
        job = self._jobs.running
        if job is not None and job.record.id == record.id:
            card = job.card()
        else:
            card = self._runs.card(record)
        if self._allow_local_paths:
            return card
        return replace(card, spec=card.spec.public())


def _named(run: RunSpec) -> RunSpec:
    """The run with a name one can read: photos from the page have a key for a name."""
    if run.name or run.data.source not in ("draft", "upload"):
        return run
    dataset = run.data.argument().removesuffix(".zip")
    return replace(run, name=f"{run.method}-{dataset}-s{run.seed}")


def _check_apart(out: Path, origin: Origin | None) -> None:
    """A run that is interrupted reads its origin again, so nothing may take its place."""
    if origin and expanded(origin.adapter).absolute() == out:
        raise BadValue(
            f"{out.name} is the adapter that this run goes on from.", "Name another file."
        )


def _writer(out: Path) -> Keep:
    """Keeps a run's adapter in the file `out`."""

    def write_out(content: bytes, id: str) -> str:
        write_file(out, content)
        return str(out)

    return write_out
