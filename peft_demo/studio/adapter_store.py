"""Adapter files: a person's own folder and the shipped, read-only one. The card is in the file; nothing else is kept.

An id is a file's stem. Ids come from pages and command lines, so they are only ever looked up, never joined unchecked.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import timm

from .. import adapters, methods
from ..adapters import AdapterFile
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import BackboneCard, ZooEntry
from ..contracts.errors import BadAdapter, BadValue, NotAllowed, PeftDemoError, UnknownName
from ..storage.atomic import disk_errors, move_file, write_file
from ..storage.names import free_name, slug

SHIPPED = Path(__file__).parents[2] / "adapters_zoo"
SUFFIX = ".safetensors"


@dataclass
class AdapterStore:
    """The adapters one can choose from. `own` is written, `shipped` only read."""

    own: Path
    trash: Path
    shipped: Path = SHIPPED
    _seen: dict[Path, tuple[tuple[int, int], ZooEntry]] = field(default_factory=dict)
    _external: dict[str, Path] = field(default_factory=dict)

    def entries(self) -> list[ZooEntry]:
        """Every file with its card, own ones first; a broken one with its refusal."""
        return [self._entry(path) for path in self._files()]

    def ids(self) -> list[str]:
        return [p.stem for p in self._files()]

    def path(self, id: str) -> Path:
        """The file of adapter `id`; `UnknownName` if there is none, whatever else the id may point at."""
        if id in self._external:
            return self._external[id]
        if re.fullmatch(r"[^\x00-\x1f./\\:][^\x00-\x1f/\\:]{0,120}", id):
            for folder in (self.own, self.shipped):
                if (path := folder / f"{id}{SUFFIX}").is_file():
                    return path
        raise UnknownName("adapter", id, self.ids())

    def entry(self, id: str) -> ZooEntry:
        """The file of adapter `id` with its card, or with the refusal of a broken one."""
        return self._entry(self.path(id))

    def state(self, id: str) -> tuple[Path, int, int]:
        """What changes when the file does: path, time (ns), bytes."""
        path = self.path(id)
        try:
            about = path.stat()
        except OSError:
            raise UnknownName("adapter", id, self.ids()) from None
        return path, about.st_mtime_ns, about.st_size

    def card(self, id: str) -> AdapterCard:
        """The card inside the file; `BadAdapter` if the file is broken."""
        entry = self._entry(self.path(id))
        if entry.card is None:
            raise BadAdapter(entry.refusal)
        return entry.card

    def save(self, content: bytes, id: str = "") -> str:
        """Writes an adapter file under a new id made from its name, or in place of `id`; the id."""
        if not id:
            return self.take(AdapterFile.parse(content))
        write_file(self._place(id), content)
        return id

    def take(self, file: AdapterFile) -> str:
        """Writes a file from outside into the own folder, as it was judged; its new id."""
        return self.save(file.content, self._free(file.card.name))

    def take_all(self, files: Sequence[AdapterFile]) -> list[str]:
        """As `take`, of all files or of none; their new ids."""
        ids: list[str] = []
        try:
            for file in files:
                ids.append(self.take(file))
        except Exception:
            with suppress(OSError):
                for id in ids:
                    self._place(id).unlink()
            raise
        return ids

    def register_external(self, file: Path) -> str:
        """Lends an id to a file that stays where it is."""
        file = file.expanduser().absolute()
        self._external[str(file)] = file
        return str(file)

    def rename(self, id: str, name: str) -> str:
        """Gives the adapter a new name, in its card and as its id; the new id."""
        name = _tidy(name, 80, "a name")
        source = self._writable(id)
        file = AdapterFile.open(source)
        renamed = file.with_card(replace(file.card, name=name))
        target = id if slug(name) == id else self._free(name)
        write_file(self._place(target), renamed.content)
        if target != id:
            with disk_errors(source):
                source.unlink()
        return target

    def rename_class(self, id: str, old: str, new: str) -> None:
        """Calls a class something else; the tensors stay as they are."""
        file = AdapterFile.open(self._writable(id))
        card = file.card
        new = _tidy(new, 100, "a class name")
        if old not in card.classes:
            raise UnknownName("class", old, card.classes)
        if new != old and new in card.classes:
            raise BadValue(f"there is a class {new!r} already.", "Choose another name.")
        classes = tuple(new if c == old else c for c in card.classes)
        renamed = file.with_card(replace(card, classes=classes))
        write_file(self._writable(id), renamed.content)

    def delete(self, id: str) -> Path:
        """Moves the file into the trash folder; where it lies there."""
        source = self._writable(id)
        moved = move_file(source, self.trash)
        self._seen.pop(source, None)
        return moved

    def _files(self) -> Iterator[Path]:
        own = sorted(self.own.glob(f"[!.]*{SUFFIX}"))
        names = {p.name for p in own}
        yield from own
        yield from sorted(p for p in self.shipped.glob(f"[!.]*{SUFFIX}") if p.name not in names)

    def _entry(self, path: Path) -> ZooEntry:
        try:
            about = path.stat()
        except OSError as trouble:
            return ZooEntry(
                path.stem, 0, False, None, f"the file cannot be read ({trouble.strerror})."
            )
        key = about.st_mtime_ns, about.st_size
        if self._seen.get(path, (None,))[0] != key:
            self._seen[path] = key, _read(path, about.st_size, path.parent == self.shipped)
        return self._seen[path][1]

    def _free(self, name: str) -> str:
        return free_name(slug(name), self.ids())

    def _place(self, id: str) -> Path:
        return self.own / f"{id}{SUFFIX}"

    def _writable(self, id: str) -> Path:
        path = self.path(id)
        if path.parent != self.own or id in self._external:
            raise NotAllowed(
                f"{id} is not in your own zoo and stays as it is.", "Import a copy of it first."
            )
        return path


def refusal(
    card: AdapterCard, known: Sequence[BackboneCard], chosen: str = "", offline: bool = False
) -> str:
    """Why the adapter cannot answer here, "" if it can. `chosen` asks for one backbone among the `known` ones."""
    try:
        methods.find_method(card.method).config(card.knobs)
    except PeftDemoError as error:
        return str(error)
    needs = f"it was trained on {card.backbone} (sha256 {card.fingerprint[:12]}…)"
    fitting = [
        b
        for b in known
        if b.fingerprint == card.fingerprint or (not b.fingerprint and b.name == card.backbone)
    ]
    if chosen and chosen not in [b.name for b in fitting]:
        return f"{needs}, not on {chosen}."
    if any(b.ready for b in fitting) or (not offline and (fitting or _downloadable(card, known))):
        return ""
    return f"{needs}, which is not on this machine. Add it with `backbones add`."


def _downloadable(card: AdapterCard, known: Sequence[BackboneCard]) -> bool:
    """Whether timm knows pretrained weights of that name, and nothing else here goes by it."""
    return card.backbone not in [b.name for b in known] and timm.is_model_pretrained(card.backbone)


def _read(path: Path, size: int, shipped: bool) -> ZooEntry:
    try:
        return ZooEntry(path.stem, size, shipped, adapters.read_card(path))
    except PeftDemoError as error:
        return ZooEntry(path.stem, size, shipped, None, str(error))
    except OSError as trouble:
        return ZooEntry(
            path.stem, size, shipped, None, f"the file cannot be read ({trouble.strerror})."
        )


def _tidy(text: str, longest: int, what: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise BadValue(f"{what} takes 1 to {longest} characters, got {text[:100]!r}.")
    return text
