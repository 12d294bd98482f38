"""Adapter files: a person's own folder and the shipped, read-only one.

The card is in the file; nothing else is kept. An id is a file's stem. Ids come from pages and
command lines, so they are only ever looked up, never joined unchecked. Whoever chooses a free id or
rewrites a file holds the folder's lock meanwhile, so that two at once lose nothing.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import methods
from ..contracts import knobs
from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import BackboneCard, ZooEntry
from ..contracts.errors import BadAdapter, BadValue, NotAllowed, PeftDemoError, UnknownName
from ..storage.atomic import disk_errors, move_file_to, sweep_drafts, write_file
from ..storage.lock import locked
from ..storage.names import free_name, slug
from ..storage.paths import expanded, is_file
from ..vit.source import is_pretrained
from .entry import SUFFIX, entry_id, read_entry
from .heavy import adapters
from .trash import Trash

SHIPPED = Path(__file__).parents[2] / "adapters_zoo"


@dataclass
class AdapterStore:
    """The adapters one can choose from. `own` is written, `shipped` only read."""

    own: Path
    trash: Trash
    shipped: Path = SHIPPED
    _entries: dict[Path, tuple[tuple[int, int], ZooEntry]] = field(default_factory=dict)
    """File → ((time in ns, bytes) when it was read, what was read)."""
    _external: dict[str, Path] = field(default_factory=dict)
    """Id → file, of files that stay where they are."""

    def entries(self) -> list[ZooEntry]:
        """Every file with its card, own ones first; a broken one with its refusal."""
        return [self._entry(path) for path in self._files()]

    def ids(self) -> list[str]:
        """The ids of all adapters, own ones first."""
        return [entry_id(p) for p in self._files()]

    def path(self, id: str) -> Path:
        """The file of adapter `id`.

        Raises `UnknownName` if there is none, whatever else the id may point at.
        """
        if id in self._external:
            return self._external[id]
        if re.fullmatch(r"[^\x00-\x1f./\\:][^\x00-\x1f/\\:]{0,120}", id):
            for folder in (self.own, self.shipped):
                path = folder / f"{id}{SUFFIX}"
                if is_file(path):
                    return path
        raise UnknownName("adapter", id, self.ids())

    def find(self, word: str, paths: bool) -> str:
        """The id that `word` means: an adapter's, or where `paths` are allowed also a file's."""
        try:
            self.path(word)
            return word
        except UnknownName:
            if not paths or not is_file(expanded(word)):
                raise
            return self.register_external(Path(word))

    def entry(self, id: str) -> ZooEntry:
        """The file of adapter `id` with its card, or with the refusal of a broken one."""
        return self._entry(self.path(id))

    def state(self, id: str) -> tuple[Path, int, int]:
        """What changes when the file does: path, time (ns), bytes."""
        path = self.path(id)
        try:
            status = path.stat()
        except OSError:
            raise UnknownName("adapter", id, self.ids()) from None
        return path, status.st_mtime_ns, status.st_size

    def card(self, id: str) -> AdapterCard:
        """The card inside the file; `BadAdapter` if the file is broken."""
        entry = self._entry(self.path(id))
        if entry.card is None:
            raise BadAdapter(entry.refusal)
        return entry.card

    def save(self, content: bytes, id: str = "") -> str:
        """Writes an adapter file under a new id made from its name, or in place of `id`; the id."""
        if not id:
            return self.take(adapters.AdapterFile.parse(content))
        with locked(self.own):
            write_file(self._place(id), content)
        return id

    def take(self, file: "adapters.AdapterFile", name: str = "") -> str:
        """Writes a file from outside into the own folder, as it was judged; its new id.

        The id is made from `name`, or else from the name in its card.
        """
        return self.take_all([file], [name])[0]

    def take_all(self, files: "Sequence[adapters.AdapterFile]", names: Sequence[str]) -> list[str]:
        """As `take`, of all files or of none; their new ids."""
        ids: list[str] = []
        with locked(self.own):
            try:
                for file, name in zip(files, names, strict=True):
                    id = self._free(name or file.card.name)
                    write_file(self._place(id), file.content)
                    ids.append(id)
            except Exception:
                with suppress(OSError):
                    for id in ids:
                        self._place(id).unlink()
                raise
        return ids

    def register_external(self, file: Path) -> str:
        """Lends an id to a file that stays where it is."""
        file = expanded(file).absolute()
        self._external[str(file)] = file
        return str(file)

    def rename(self, id: str, name: str) -> str:
        """Gives the adapter a new name, in its card and as its id; the new id."""
        name = _tidy(name, 80, "a name")
        with self._changing(id) as source:
            file = adapters.AdapterFile.open(source)
            renamed = file.with_card(replace(file.card, name=name))
            target = id if slug(name) == id else self._free(name)
            write_file(self._place(target), renamed.content)
            if target != id:
                with disk_errors(source):
                    source.unlink()
        return target

    def rename_class(self, id: str, old: str, new: str) -> None:
        """Calls a class something else; the tensors stay as they are."""
        new = _tidy(new, 100, "a class name")
        with self._changing(id) as source:
            file = adapters.AdapterFile.open(source)
            card = file.card
            if old not in card.classes:
                raise UnknownName("class", old, card.classes)
            if new != old and new in card.classes:
                raise BadValue(f"there is a class {new!r} already.", "Choose another name.")
            classes = tuple(new if name == old else name for name in card.classes)
            renamed = file.with_card(replace(card, classes=classes))
            write_file(source, renamed.content)

    def delete(self, id: str) -> str:
        """Moves the file into the trash; its name there."""
        with self._changing(id) as source:
            moved = self.trash.put(source)
        self._entries.pop(source, None)
        return moved.stem

    def restore(self, name: str) -> str:
        """Moves a file back from the trash; its id, another one where its name is taken."""
        with locked(self.own), locked(self.trash.folder):
            source = self.trash.path(name)
            id = free_name(name, self.ids())
            move_file_to(source, self._place(id))
        return id

    def settle(self) -> None:
        """Removes what writers that were killed have left in the own folder."""
        if not any(self.own.glob(".*.tmp")):
            return
        with suppress(PeftDemoError), locked(self.own):  # writers hold the lock: these are dead
            sweep_drafts(self.own)

    def _files(self) -> Iterator[Path]:
        own = sorted(self.own.glob(f"[!.]*{SUFFIX}"))
        names = {p.name for p in own}
        yield from own
        yield from sorted(p for p in self.shipped.glob(f"[!.]*{SUFFIX}") if p.name not in names)

    def _entry(self, path: Path) -> ZooEntry:
        try:
            status = path.stat()
        except OSError:
            return read_entry(path, shipped=False)
        key = status.st_mtime_ns, status.st_size
        known = self._entries.get(path)
        if known is not None and known[0] == key:
            return known[1]
        entry = read_entry(path, path.parent == self.shipped)
        self._entries[path] = key, entry
        return entry

    def _free(self, name: str) -> str:
        return free_name(slug(name), self.ids())

    def _place(self, id: str) -> Path:
        return self.own / f"{id}{SUFFIX}"

    @contextmanager
    def _changing(self, id: str) -> Iterator[Path]:
        """The own file of that id, which nobody else changes meanwhile."""
        with locked(self._writable(id).parent):
            yield self._writable(id)

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
    """Why the adapter cannot answer here, "" if it can.

    `chosen` asks for one backbone among the `known` ones.
    """
    try:
        knobs.check(methods.find_card(card.method).knobs, card.knobs)
    except PeftDemoError as error:
        return str(error)
    needs = f"it was trained on {card.backbone} (sha256 {card.fingerprint[:12]}…)"
    fitting = [backbone for backbone in known if _fits(card, backbone)]
    if chosen and chosen not in [backbone.name for backbone in fitting]:
        return f"{needs}, not on {chosen}."
    if any(backbone.ready for backbone in fitting):
        return ""
    if not offline and (fitting or _downloadable(card, known)):
        return ""
    return f"{needs}, which is not on this machine. Add it with `backbones add`."


def _fits(card: AdapterCard, backbone: BackboneCard) -> bool:
    """By fingerprint; one that is not on this machine has none yet, and fits by its name."""
    if backbone.fingerprint:
        return backbone.fingerprint == card.fingerprint
    return backbone.name == card.backbone


def _downloadable(card: AdapterCard, known: Sequence[BackboneCard]) -> bool:
    """Whether timm knows pretrained weights of that name, and nothing else here goes by it."""
    return card.backbone not in [b.name for b in known] and is_pretrained(card.backbone)


def _tidy(text: str, longest: int, what: str) -> str:
    text = " ".join(text.split())
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise BadValue(f"{what} takes 1 to {longest} characters, got {text[:100]!r}.")
    return text
