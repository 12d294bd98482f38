"""Training on this machine: what there is to choose, what it costs, and the runs.

The room `training` is loaded when it is first needed: a page that only answers never loads it.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from pathlib import Path

from .. import methods, vit
from ..contracts import knobs
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import Cost, MethodCard, RunCard, Sample, Status
from ..contracts.errors import BadData, CannotResume, NotAllowed
from ..contracts.events import Event
from ..contracts.history import classes_of, saved_adapter
from ..contracts.origin import Origin
from ..contracts.progress import Report
from ..contracts.run_state import RunState
from ..contracts.specs import DataSpec, RunSpec
from ..storage.home import Home
from ..storage.names import slug
from .adapter_store import AdapterStore
from .backbone_cache import BackboneCache
from .datasets import Datasets, check_local_paths
from .durations import estimated
from .heavy import adapters, training
from .held_out import samples_of, samples_with
from .jobs import Jobs
from .out_file import check_apart, writer
from .record import Record
from .runs import Runs

Admit = Callable[[RunSpec], AbstractContextManager]
"""A context in which the run is started, or an error that says why it may not be."""


CLASS_LETTERS = 16
"""Of a class in the name of an adapter."""


class Training:
    """The `contracts.service.Training` of a home: one run at a time, kept in the `store`.

    Where it `queues`, runs that are started meanwhile wait. Where the machine is `shared`, only the
    one who started a run may stop or move it. `trainer` is what trains, where that is not
    `training.train` in this process. `mark` is part of every run's id. `admit` may refuse a run,
    which may take `memory_share` of the free memory.
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
        trainer: "training.Trainer | None" = None,
        mark: str = "",
        admit: Admit = nullcontext,
        memory_share: float = 1.0,
        queues: bool = True,
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
        self._jobs = Jobs(self._runs, self._events, store.save, queues)

    def methods(self) -> list[MethodCard]:
        return list(methods.cards().values())

    def cost(self, run: RunSpec, classes: int = 10, images: int = 0) -> Cost:
        if run.origin:
            id = self._store.find(run.origin.adapter, self._allow_local_paths)
            card = self._store.card(id)
            name = self._name_of(card)
            run = replace(run, method=card.method, knobs=card.knobs, backbone=name, size=card.size)
        price = training.cost(run, self._anatomy(run), classes, images)
        return replace(price, seconds=estimated(run, price.steps, self._runs.records()))

    def status(self) -> Status:
        device = self._device or vit.best_device()
        return replace(self._state(), device=device, queues=self._jobs.queues)

    def _state(self) -> Status:
        if self._jobs.job is not None:
            return self._jobs.job.status()
        records = self._runs.records()
        if not records or not records[0].journal.ended():
            return Status(RunState.IDLE)
        latest = records[0]
        return Status(self._runs.card(latest).state, latest.id)

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return self._jobs.running is not None

    def start(self, run: RunSpec, owner: str = "", out: Path | None = None) -> str:
        """Starts a run in the background, or puts it in line, and gives its id.

        What is wrong with the spec is refused at once. Where the file `out` is given, the adapter
        goes there instead of into the zoo. A run with an origin may leave its method open ("").
        """
        if run.origin:
            run = self._going_on(run, run.origin)
        checked = knobs.check(methods.find_card(run.method).knobs, run.knobs)
        self._data.locate(run.data)
        run = self._named(replace(run, knobs=checked))
        anatomy = self._anatomy(run)
        keep = None
        if out is not None:
            check_local_paths(self._allow_local_paths, "a file of this machine")
            out = out.absolute()
            check_apart(out, run.origin)
            keep = writer(out)
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
            keep = writer(Path(record.out))
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
        self._check_owner(run, owner)
        self._jobs.stop(run)

    def move(self, run: str, places: int, owner: str = "") -> None:
        self._check_owner(run, owner)
        self._jobs.move(run, places)

    def _check_owner(self, run: str, owner: str) -> None:
        job = self._jobs.living(run)
        if self._shared and job is not None and job.owner != owner:
            raise NotAllowed("this run was started by somebody else.", "Wait until it ends.")

    def rename_run(self, run: str, title: str) -> None:
        self._runs.record(run).rename(title)

    def delete_run(self, run: str) -> str:
        deleted = self._runs.delete(run, self._home.deleted_runs)
        self._jobs.forget(run)
        return deleted

    def restore_run(self, deleted: str) -> str:
        return self._runs.restore(deleted, self._home.deleted_runs)

    def samples(self, run: str) -> Sequence[Sample]:
        record = self._runs.record(run)
        classes = classes_of(record.journal.read()[0])
        return samples_with(record.folder, classes)

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
        """Waits until nothing goes on, at most `timeout` seconds; whether that is so."""
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
        origin = self._open_origin(run.origin) if run.origin else None
        report("loading the backbone")
        backbone = self._backbones.get(run.backbone, run.size, report=report)
        report("reading the images")
        dataset = self._data.open(run.data, report)
        yield from training.run_from_dataset(
            run,
            backbone,
            dataset,
            report,
            stop,
            trainer=self._trainer or training.train,
            turn=self._data.turn(run.data, report),
            memory_share=self._memory_share,
            state=state,
            origin=origin,
        )

    def _going_on(self, run: RunSpec, origin: Origin) -> RunSpec:
        """The run with all that it takes from its origin."""
        id = self._store.find(origin.adapter, self._allow_local_paths)
        file = self._open_origin(origin)
        card = file.card
        run = training.going_on(replace(run, origin=replace(origin, adapter=id)), file)
        if run.backbone == card.backbone:  # it may go by another name here
            run = replace(run, backbone=self._name_of(card))
        return run

    def _named(self, run: RunSpec) -> RunSpec:
        """The run with a name one can read: photos from the page have a key for a name."""
        if run.name or run.data.source not in ("draft", "upload"):
            return run
        dataset = run.data.argument().removesuffix(".zip")
        if run.data.source == "draft":
            dataset = _of_classes(tuple(self._data.drafts.classes(run.data.name)))
        return replace(run, name=f"{run.method}-{dataset}-s{run.seed}")

    def _name_of(self, card: AdapterCard) -> str:
        return vit.find(card.backbone, self._home.root, card.fingerprint).name

    def _open_origin(self, origin: Origin) -> "adapters.AdapterFile":
        id = self._store.find(origin.adapter, self._allow_local_paths)
        return adapters.AdapterFile.open(self._store.path(id))

    def _anatomy(self, run: RunSpec) -> "vit.Anatomy":
        return vit.anatomy_of(vit.find(run.backbone, self._home.root), run.size)

    def _card(self, record: Record) -> RunCard:
        """The run's line; of the one in progress, as it stands at this moment.

        What is private of its data is shown only where paths may be named.
        """
        job = self._jobs.living(record.id)
        card = job.card() if job else self._runs.card(record)
        card = replace(card, place=self._jobs.place(record.id))
        if self._allow_local_paths:
            return card
        return replace(card, spec=card.spec.public())


def _of_classes(names: Sequence[str]) -> str:
    """hat, shoe, cup → hat-shoe: what a set of one's own is called in the name of an adapter."""
    words = [slug(name, "")[:CLASS_LETTERS].strip("-") for name in names[:2]]
    return "-".join(filter(None, words)) or "photos"
