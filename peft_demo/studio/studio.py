"""Everything a page or a command line may ask, answered by the rooms below. The one public face of this room."""

import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from safetensors.torch import save as to_bytes

from .. import adapters, methods, training, vit
from ..contracts.cards import (
    AdapterCard,
    BackboneCard,
    Cost,
    DataReport,
    DatasetCard,
    MethodCard,
    Parcel,
    Prediction,
    RunCard,
    Score,
    SideBySide,
    Status,
    ZooEntry,
)
from ..contracts.errors import BadData, NotAllowed, UnknownName
from ..contracts.events import Event
from ..contracts.service import Report
from ..contracts.specs import DataSpec, Foreign, PushSpec, RunSpec, repo_id
from ..data import Dataset, open_dataset, parse, report_of, split
from ..data import cards as dataset_cards
from ..vit.load import best_device
from . import hub
from .drafts import Drafts, find_zip, keep_zip
from .exports import EXPORTS
from .home import find as find_home
from .home import sweep, write, writing
from .jobs import Jobs
from .merged import side_by_side
from .parcel import pack
from .predictor import KEPT_BYTES, SHARED_BYTES, Predictor
from .runs import Record, Runs
from .samples import Sample, samples
from .scoring import repeated, score
from .shelf import Shelf
from .zoo import SHIPPED, Zoo, refusal


class Studio:
    """The `contracts.service.Service` of this machine.

    `home` is where files live (else PEFT_DEMO_HOME, else the user data folder), `zoo` where new adapters go (else in
    the home). `allow_local_paths` lets datasets and adapters be named by a path. With `shared`, only the one who
    started a run may stop it, and nobody uses the Hub token of this machine. Several studios may share one `shelf` of
    backbones, and something else than this process may `train`; `mark` then keeps the ids of their runs apart.
    """

    def __init__(
        self,
        home: Path | str | None = None,
        zoo: Path | str | None = None,
        offline: bool = False,
        allow_local_paths: bool = False,
        device: str = "",
        shared: bool = False,
        shipped: Path = SHIPPED,
        shelf: Shelf | None = None,
        train: training.Trainer = training.train,
        mark: str = "",
    ):
        self.home = find_home(home, zoo)
        self.offline = offline or os.environ.get("HF_HUB_OFFLINE", "").lower() in ("1", "true", "yes", "on")
        self.allow_local_paths, self._shared = allow_local_paths, shared
        self._device = device or best_device()
        self._zoo = Zoo(self.home.zoo, self.home.trash, shipped)
        self._shelf = shelf or Shelf(self.home.root, self._device, self.offline)
        self._trainer = train
        self._predictor = Predictor(self._zoo, self._shelf, SHARED_BYTES if shared else KEPT_BYTES)
        self._samples: dict[DataSpec, Sequence[Sample]] = {}
        self._drafts = Drafts(self.home)
        self._runs = Runs(self.home.runs, mark)
        self._jobs = Jobs(self._runs, self._train, self._zoo.save)
        self._settle()

    # what there is ---------------------------------------------------------------------------------------------
    def methods(self) -> list[MethodCard]:
        return [m.card() for m in methods.methods().values()]

    def backbones(self) -> list[BackboneCard]:
        return list(vit.cards(self.home.root))

    def add_backbone(self, file: Path, arch: str = "", name: str = "") -> BackboneCard:
        """Checks a local timm checkpoint and registers it, so that every command and the page find it.

        Other weights that go by the same name already keep it; these then get a bit of their fingerprint added.
        """
        self._local("a backbone file")
        with writing(self.home.root / "backbones"):
            card = vit.register(file, self.home.root, arch, name)
            if any(b.name == card.name and b.fingerprint != card.fingerprint for b in self.backbones()):
                card = vit.register(file, self.home.root, arch, f"{card.name}-{card.fingerprint[:8]}")
        return card

    def datasets(self) -> list[DatasetCard]:
        return list(dataset_cards())

    def status(self) -> Status:
        if self._jobs.job is not None:
            return replace(self._jobs.job.status(), device=self._device)
        latest = next(iter(self._runs.records()), None)
        if latest is None or not latest.journal.ended():
            return Status("idle", device=self._device)
        return Status(self._runs.card(latest).state, latest.id, device=self._device)

    @property
    def busy(self) -> bool:
        """Whether a run of this studio is going on."""
        return self._jobs.busy

    # data ------------------------------------------------------------------------------------------------------
    def read_data(
        self, argument: str, shots: int = 16, seed: int = 0, image_column: str = "", label_column: str = ""
    ) -> DataSpec:
        """What the command line's DATA means: a bundled name, a folder, a zip, or hf:ID."""
        spec, path = parse(argument, shots, seed, image_column, label_column)
        return replace(spec, name=str(path)) if path else spec

    def check(self, data: DataSpec, report: Report | None = None) -> DataReport:
        dataset = self._open(data, report)
        return report_of(dataset, split(dataset, data.shots, data.seed, report))

    def resolve(self, spec: DataSpec) -> Path | None:
        """Where the images of `spec` lie, None for bundled and Hub sets; `NotAllowed` for a path not to be named."""
        match spec.source:
            case "folder" | "zip":
                self._local("a folder or zip of this machine")
                return Path(spec.name).expanduser()
            case "draft":
                return self._drafts.view(spec.name)[0]
            case "upload":
                return find_zip(self.home, spec.name)
        return None

    def keep_upload(self, file: Path) -> str:
        return keep_zip(self.home, Path(file))

    def draft_classes(self, draft: str) -> dict[str, tuple[str, ...]]:
        return self._drafts.classes(draft)

    def draft_put(self, draft: str, label: str, images: Sequence[Path]) -> tuple[str, ...]:
        return self._drafts.put(draft, label, images)

    def draft_rename(self, draft: str, old: str, new: str) -> None:
        self._drafts.rename(draft, old, new)

    def draft_drop(self, draft: str, label: str) -> None:
        self._drafts.drop(draft, label)

    def draft_image(self, draft: str, key: str) -> Path:
        return self._drafts.image(draft, key)

    # training --------------------------------------------------------------------------------------------------
    def cost(self, run: RunSpec, classes: int = 10) -> Cost:
        return training.cost(run, self._anatomy(run.backbone, run.size), classes)

    def start(self, run: RunSpec, owner: str = "", out: Path | None = None) -> str:
        """As the contract says; refuses at once what is wrong with the spec. `out` is written in place of the zoo."""
        config = methods.method(run.method).config(run.knobs)
        run = _named(replace(run, knobs={name: getattr(config, name) for name in run.knobs}))
        self._anatomy(run.backbone, run.size)
        self.resolve(run.data)
        if out is None:
            return self._jobs.start(run, owner)
        self._local("a file of this machine")
        return self._jobs.start(run, owner, lambda content, _: _write_out(out, content))

    def stop(self, run: str, owner: str = "") -> None:
        job = self._jobs.job
        if self._shared and job is not None and job.record.id == run and job.owner != owner:
            raise NotAllowed("this run was started by somebody else.", "Wait until it ends.")
        self._jobs.stop(run)

    def runs(self) -> list[RunCard]:
        return [self._card(record) for record in self._runs.records()]

    def follow(self, run: str, cursor: int = 0) -> tuple[list[Event], int]:
        return self._runs.record(run).journal.read(cursor)

    def close(self) -> None:
        """Stops a run in progress, keeping its best."""
        self._jobs.close()

    # adapters --------------------------------------------------------------------------------------------------
    def zoo(self, backbone: str = "") -> list[ZooEntry]:
        """All adapters, own first; with `backbone`, those made for another one carry a refusal as well."""
        known = self.backbones()
        return [self._judged(entry, known, backbone) for entry in self._zoo.entries()]

    def adapter(self, id: str) -> AdapterCard:
        return self._zoo.card(id)

    def adapter_file(self, id: str) -> Path:
        return self._zoo.path(id)

    def find_adapter(self, word: str) -> str:
        """The id that `word` means: an adapter of the zoo, or (where local paths are allowed) a file."""
        try:
            self._zoo.path(word)
            return word
        except UnknownName:
            if not self.allow_local_paths or not Path(word).expanduser().is_file():
                raise
            return self._zoo.guest(Path(word))

    def import_adapter(self, file: Path, given: Foreign | None = None) -> str:
        """As the contract says; tensors are checked too if the backbone is on this machine."""
        if adapters.is_foreign(Path(file)):
            return self._adopt(Path(file), given or Foreign())
        self._check_adapter(Path(file))
        return self._zoo.take(Path(file))

    def rename(self, id: str, name: str) -> str:
        return self._zoo.rename(id, name)

    def rename_class(self, id: str, old: str, new: str) -> None:
        self._zoo.rename_class(id, old, new)

    def delete(self, id: str) -> None:
        self._zoo.delete(id)

    def merge(self, id: str, out: Path) -> None:
        backbone, adapter, card = self._predictor.load(self._zoo.path(id))
        about = {"format": "pt", "architecture": card.arch, "classes": json.dumps(card.classes)}
        write(Path(out), to_bytes(adapters.merged_tensors(backbone, adapter), about))

    def samples(self, id: str) -> Sequence[Sample]:
        data = RunSpec.from_json(self.adapter(id).spec).data
        if data not in self._samples:
            bundled = data.source == "bundled"
            self._samples[data] = samples(self._open(data, None), data.shots, data.seed) if bundled else ()
        return self._samples[data]

    def export(self, id: str, to: str, out: Path) -> Sequence[str]:
        if to not in EXPORTS:
            raise UnknownName("format", to, EXPORTS)
        backbone, adapter, card = self._predictor.load(self._zoo.path(id))
        source = vit.find(card.backbone, self.home.root, card.fingerprint)
        return EXPORTS[to](Path(out), backbone, adapter, card, source)

    # the Hugging Face Hub --------------------------------------------------------------------------------------
    def parcel(self, push: PushSpec) -> Parcel:
        return self._pack(push)[0]

    def push(self, push: PushSpec, token: str = "", report: Report | None = None, agreed: str = "") -> str:
        token = self._hub_token(token)
        if not token:
            page = "Sign in on this page if it offers that, or push on the command line."
            hint = page if self._shared else "Run `hf auth login` once, or set HF_TOKEN."
            raise NotAllowed("nobody is logged in to the Hub.", hint)
        parcel, contents = self._pack(push)
        if agreed not in ("", parcel.digest):
            raise NotAllowed("what would be sent has changed since it was shown.", "Look at it again, then push.")
        return hub.send(push.repo, contents, token, push.private, report)

    def on_hub(self, repo: str, revision: str = "", token: str = "") -> list[ZooEntry]:
        return hub.find(repo_id(repo), revision, self._hub_token(token))[1]

    def pull(
        self, repo: str, names: Sequence[str] = (), revision: str = "", token: str = "", report: Report | None = None
    ) -> list[str]:
        token = self._hub_token(token)
        with writing(self.home.tmp):
            self.home.tmp.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self.home.tmp) as folder:
            files = hub.download(repo_id(repo), names, Path(folder), revision, token, report)
            for file in files:
                self._check_adapter(file)
            return self._zoo.take_all(files)

    # answers ---------------------------------------------------------------------------------------------------
    def classify(self, image: Path | bytes, adapters: Sequence[str], top: int = 5) -> list[Prediction]:
        return self._predictor.classify(image, adapters, top)

    def predict(self, images: Sequence[Path | bytes], adapters: Sequence[str], top: int = 5) -> list[Prediction]:
        return self._predictor.predict(images, adapters, top)

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        chosen = self._predictor.choose(id)
        return side_by_side(chosen, self._predictor.merged(chosen), id, image, top)

    def evaluate(self, id: str, data: DataSpec, report: Report | None = None) -> Score:
        return score(self._predictor.choose(id), self._open(data, report), report)

    def verify(self, id: str, report: Report | None = None) -> Score:
        """Accuracy on the same test images as in its card, measured again; bundled sets alone can be had again."""
        data = RunSpec.from_json(self.adapter(id).spec).data
        if data.source != "bundled":
            raise BadData("its images did not come with the project.")
        return repeated(self._predictor.choose(id), self._open(data, report), data, report)

    # -----------------------------------------------------------------------------------------------------------
    def _train(self, run: RunSpec, report: Report, stop: Callable[[], bool]) -> Iterator[Event]:
        report("loading the backbone")
        backbone = self._shelf.get(run.backbone, run.size, report=report)
        report("reading the images")
        yield from training.whole(run, backbone, self._open(run.data, report), report, stop, self._trainer)

    def _adopt(self, file: Path, given: Foreign) -> str:
        given = adapters.completed(file, given)
        backbone = self._shelf.get(given.backbone, given.size, given.fingerprint)
        return self._zoo.save(adapters.adopt(file, given, backbone))

    def _open(self, spec: DataSpec, report: Report | None) -> Dataset:
        dataset = open_dataset(spec, self.resolve(spec), offline=self.offline, report=report)
        if spec.source != "draft":
            return dataset
        labels = self._drafts.view(spec.name)[1]
        return replace(dataset, title="My photos", classes=tuple(labels.get(c, c) for c in dataset.classes))

    def _check_adapter(self, file: Path) -> None:
        """Raises `BadAdapter` unless header and card are sound, and tensors too if the backbone is on this machine."""
        card = adapters.read_card(file)
        if card.fingerprint in {b.fingerprint for b in self.backbones()}:
            self._predictor.load(file)

    def _pack(self, push: PushSpec) -> tuple[Parcel, dict[str, bytes]]:
        return pack(push, [self._zoo.path(id) for id in push.adapters], self.home.root)

    def _hub_token(self, given: str) -> str:
        """The visitor's own token, or that of this machine: where it is shared, nobody acts in its owner's name."""
        if self.offline:
            raise NotAllowed(
                "the Hugging Face Hub needs the network, which is switched off here.", "Start without --offline."
            )
        return given or ("" if self._shared else hub.stored_token())

    def _anatomy(self, backbone: str, size: int) -> vit.Anatomy:
        return vit.anatomy_of(vit.find(backbone, self.home.root), size)

    def _judged(self, entry: ZooEntry, known: Sequence[BackboneCard], backbone: str) -> ZooEntry:
        if entry.card is None:
            return entry
        return replace(entry, refusal=refusal(entry.card, known, backbone, self.offline))

    def _card(self, record: Record) -> RunCard:
        """The run's line; of the one in progress, as it stands at this moment. Paths only where they may be named."""
        job = self._jobs.job
        card = job.card() if self._jobs.busy and job.record.id == record.id else self._runs.card(record)
        data = card.spec.data
        if self.allow_local_paths or data.source not in ("folder", "zip"):
            return card
        return replace(card, spec=replace(card.spec, data=replace(data, name=data.argument())))

    def _local(self, what: str) -> None:
        if not self.allow_local_paths:
            raise NotAllowed(f"{what} may not be named here.", "Start the app with --allow-local-paths, or upload it.")

    def _settle(self) -> None:
        """What opening the studio puts right: runs whose process died, and things that have stood too long."""
        for record in self._runs.records():
            record.bury()
        for folder, days in ((self.home.drafts, 7), (self.home.uploads, 30), (self.home.tmp, 7)):
            sweep(folder, days)


def _named(run: RunSpec) -> RunSpec:
    """Photos from the page have a key for a name; an adapter made of them gets a name one can read."""
    if run.name or run.data.source not in ("draft", "upload"):
        return run
    return replace(run, name=f"{run.method}-{run.data.argument().removesuffix('.zip')}-s{run.seed}")


def _write_out(out: Path, content: bytes) -> str:
    write(out, content)
    return str(out)
