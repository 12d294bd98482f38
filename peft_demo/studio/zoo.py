"""The adapters of this machine and the frozen backbones they stand on."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from .. import vit
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import BackboneCard, Sample, Taken, ZooEntry
from ..contracts.changes import Changes
from ..contracts.errors import BadData, BadValue, PeftDemoError
from ..contracts.specs import DataSpec, ImportHints, RunSpec
from ..contracts.text import shortened
from ..contracts.verification import Verification
from ..storage.atomic import disk_errors, write_file
from ..storage.home import Home
from ..storage.lock import locked
from ..storage.paths import expanded
from ..vit.source import Source
from .adapter_store import AdapterStore, refusal
from .backbone_cache import BackboneCache
from .datasets import Datasets, check_local_paths
from .exports import Subject, find_export
from .heavy import (
    adapter_upload,
    adapters,
    inference,
    interop,
    probes,
    scoring,
    together,
    torch,
    verification,
)
from .predictor import Predictor
from .samples import samples
from .thumbnails import Thumbnails


class Zoo:
    """The `contracts.service.Zoo` of a home."""

    def __init__(
        self,
        home: Home,
        store: AdapterStore,
        backbones: BackboneCache,
        data: Datasets,
        predictor: Predictor,
        held_out: Callable[[str, AdapterCard], Sequence[Sample]],
        data_of: Callable[[str, AdapterCard], DataSpec],
        *,
        offline: bool,
        allow_local_paths: bool,
    ):
        self._home = home
        self._store = store
        self._backbones = backbones
        self._data = data
        self._predictor = predictor
        self._held_out = held_out
        self._data_of = data_of
        self._offline = offline
        self._allow_local_paths = allow_local_paths
        self._samples: dict[DataSpec, Sequence[Sample]] = {}
        self._thumbnails = Thumbnails()

    def backbones(self) -> list[BackboneCard]:
        return list(vit.cards(self._home.root))

    def add_backbone(
        self, file: Path, arch: str = "", name: str = "", pickles: bool = False
    ) -> BackboneCard:
        """Registers the backbone in a weights file, so that every command and the page find it.

        Files of torch.save are read with `pickles` alone, which only the command line sets. Other
        weights that go by the same name keep it; these then get a bit of their fingerprint added.
        """
        check_local_paths(self._allow_local_paths, "a backbone file")
        with locked(self._home.backbones), disk_errors(self._home.backbones):
            card = vit.register(file, self._home.root, arch, name, pickles)
            if any(self._same_name_other_weights(card, other) for other in self.backbones()):
                name = f"{card.name}-{card.fingerprint[:8]}"
                card = vit.register(file, self._home.root, arch, name, pickles)
        return card

    def entries(self, backbone: str = "") -> list[ZooEntry]:
        """All adapters, own first; with `backbone`, those made for another one carry a refusal."""
        known = self._usable_backbones()
        return [self._with_refusal(entry, known, backbone) for entry in self._store.entries()]

    def entry(self, id: str) -> ZooEntry:
        return self._with_refusal(self._store.entry(id), self._usable_backbones(), "")

    def find(self, word: str) -> str:
        """The id that `word` means: an adapter of the zoo, or a file where paths are allowed."""
        return self._store.find(word, self._allow_local_paths)

    def card(self, id: str) -> AdapterCard:
        return self._store.card(id)

    def file(self, id: str) -> Path:
        return self._store.path(id)

    def rename(self, id: str, name: str) -> str:
        return self._store.rename(id, name)

    def rename_class(self, id: str, old: str, new: str) -> None:
        self._store.rename_class(id, old, new)

    def delete(self, id: str) -> str:
        return self._store.delete(id)

    def trash(self) -> Sequence[ZooEntry]:
        return self._store.trash.entries()

    def restore(self, name: str) -> str:
        self._home.check_room()
        return self._store.restore(name)

    def empty_trash(self) -> int:
        return self._store.trash.empty()

    def settle(self) -> None:
        """Removes what was left unfinished by a process that was killed."""
        self._store.settle()

    def take(self, file: Path, hints: ImportHints | None = None) -> str:
        """Checks an adapter file and takes it into the zoo; its new id.

        Its tensors are checked too if the backbone is on this machine.
        """
        self._home.check_room()
        file = Path(file)
        hints = hints or ImportHints()
        if interop.is_foreign(file):
            return self._convert(file, hints)
        return self.take_all([adapters.AdapterFile.open(file)], [hints.name or file.stem])[0]

    def take_all(self, files: "Sequence[adapters.AdapterFile]", names: Sequence[str]) -> list[str]:
        """As `take`, of all files or of none, with these names; their new ids."""
        self._home.check_room()
        for file in files:
            self.check(file)
        return self._store.take_all(files, names)

    def take_upload(self, files: Sequence[Path], hints: ImportHints | None = None) -> list[Taken]:
        self._home.check_room()
        with disk_errors(self._home.tmp):
            self._home.tmp.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=self._home.tmp) as folder:
            parcels, refused = adapter_upload.unpack(files, Path(folder))
            taken = [self._take_parcel(parcel, hints or ImportHints()) for parcel in parcels]
        return [*taken, *refused]

    def check(self, file: "adapters.AdapterFile") -> None:
        """Raises `BadAdapter` unless the tensors are sound, if the backbone is on this machine."""
        if file.card.fingerprint in {backbone.fingerprint for backbone in self.backbones()}:
            self._predictor.load(file)

    def changes(self, id: str) -> Changes:
        return adapters.changes(*self._predictor.load(adapters.AdapterFile.open(self.file(id))))

    def merge(self, id: str, out: Path) -> None:
        file = adapters.AdapterFile.open(self.file(id))
        backbone, adapter = self._predictor.load(file)
        merged = adapters.merge(backbone, adapter).eval()
        kept = file.probes or probes.probes_of(merged, backbone, file.card)
        arguments = dict(self._source(file.card).kwargs)
        content = verification.merged_file(merged, file.card, arguments, kept)
        write_file(Path(out), content)

    def blend(self, ids: Sequence[str], out: Path, shares: Sequence[float] = ()) -> None:
        members = [self._predictor.choose(id) for id in ids]
        several = together.blended(members, together.shares_of(members, shares))
        kept = probes.probes_of(several.model, several.backbone, several.card)
        arguments = dict(self._source(several.card).kwargs)
        write_file(
            Path(out), verification.merged_file(several.model, several.card, arguments, kept)
        )

    def export(self, id: str, to: str, out: Path, rank: int = 0) -> Sequence[str]:
        return find_export(to).write(Path(out), self.subject(id, rank))

    def subject(self, id: str, rank: int = 0) -> Subject:
        """An adapter as what is exported."""
        file = adapters.AdapterFile.open(self.file(id))
        backbone, adapter = self._predictor.load(file)
        source = self._source(file.card)
        measure = partial(self._measured, id)
        samples = partial(self.samples, id)
        kept = file.probes
        return Subject(backbone, adapter, file.card, source, rank, measure, samples, kept)

    def verify_any(self, word: str) -> Verification:
        """As `verify`, where paths are allowed also of a file or folder that `export` or `merge`
        wrote: its own runtime is asked. `BadValue` names a package that is missing."""
        path = expanded(word)
        if (
            self._allow_local_paths
            and word not in self._store.ids()
            and verification.is_export(path)
        ):
            return verification.verify_export(path, self._home, self._backbones)
        return self.verify(self.find(word))

    def verify(self, id: str) -> Verification:
        file = adapters.AdapterFile.open(self.file(id))
        backbone, adapter = self._predictor.load(file)
        return verification.verify_adapter(file, backbone, adapter)

    def keep_probes(self, id: str, out: Path) -> None:
        """Writes at `out` an adapter of an earlier version with what it answers here to the probe
        pictures; `BadValue` for one that says it already."""
        file = adapters.AdapterFile.open(self.file(id))
        if file.card.probes:
            raise BadValue(
                f"{shortened(file.card.name)} says already what it answers.",
                "Verify it without --out.",
            )
        backbone, _ = self._predictor.load(file)
        write_file(Path(out), probes.probed(file, backbone).content)

    def samples(self, id: str) -> Sequence[Sample]:
        card = self.card(id)
        if held_out := self._held_out(id, card):
            return held_out
        if not card.spec:
            return ()
        data = RunSpec.from_json(card.spec).data
        if data not in self._samples:
            self._samples[data] = self._draw_samples(data)
        return self._samples[data]

    def thumbnails(self, id: str) -> Sequence[bytes]:
        return self._thumbnails.get(self._store.state(id), lambda: self.samples(id))

    def _measured(self, id: str, model: "torch.nn.Module") -> str:
        """How many of its own test images a plain model gets right in an adapter's place, in words;
        "" where they cannot be had again."""
        chosen = self._predictor.choose(id)
        try:
            spec = self._data_of(id, chosen.card)
            with self._data.opened(spec) as dataset:
                before = scoring.repeated(chosen, dataset, spec)
                plain = inference.Plain(chosen.backbone, chosen.card, model)
                after = scoring.repeated(plain, dataset, spec)
        except BadData:
            return ""
        return f"of {after.images} test images {after.right} are right, {before.right} before."

    def _draw_samples(self, data: DataSpec) -> Sequence[Sample]:
        if data.source != "bundled":
            return ()
        return samples(self._data.open(data), data.shots, data.seed)

    def _take_parcel(self, parcel: "adapter_upload.Parcel", hints: ImportHints) -> Taken:
        name = parcel.name or parcel.path.name
        try:
            id = self.take(parcel.path, replace(hints, name=parcel.name))
        except PeftDemoError as error:
            return Taken(name, refusal=str(error))
        return Taken(name, id)

    def _convert(self, path: Path, hints: ImportHints) -> str:
        renamed = bool(hints.classes)
        hints = interop.with_defaults(path, hints)
        backbone = self._backbones.get(hints.backbone, hints.size, hints.fingerprint)
        file = probes.probed(interop.convert(path, hints, backbone), backbone)
        verification.check_import(path, file, backbone, renamed)
        return self._store.take(file)

    def _source(self, card: AdapterCard) -> Source:
        return vit.find(card.backbone, self._home.root, card.fingerprint)

    def _usable_backbones(self) -> list[BackboneCard]:
        return [card for card in self.backbones() if not card.refusal]

    def _with_refusal(
        self, entry: ZooEntry, known: Sequence[BackboneCard], backbone: str
    ) -> ZooEntry:
        if entry.card is None:
            return entry
        return replace(entry, refusal=refusal(entry.card, known, backbone, self._offline))

    @staticmethod
    def _same_name_other_weights(card: BackboneCard, other: BackboneCard) -> bool:
        return other.name == card.name and other.fingerprint != card.fingerprint
