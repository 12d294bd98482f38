"""Files that a person sent together, sorted into the adapters they hold.

An adapter of ours is one file. A LoRA of huggingface/peft is several, which belong together: they
are copied into a folder of this machine under the names that peft gives them. A zip may hold any
number of both. What a file is called decides nothing but its adapter's name: each is judged when it
is taken.
"""

import re
import shutil
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO

from ..contracts.cards import Taken
from ..contracts.errors import BadAdapter, PeftDemoError
from ..contracts.probes import FILE as PROBES
from ..contracts.text import shortened
from ..data.sources.zip import list_zip
from ..interop.peft_config import CONFIG
from ..interop.peft_folder import NOTE, PICKLED, TENSORS, pickled
from ..storage.atomic import disk_errors
from ..storage.names import slug
from .entry import SUFFIX

LIMIT = 1_000_000_000
"""Bytes of all files together, unpacked."""
JSON = ".json"
ZIP = ".zip"
NOTES = (NOTE, PROBES)
"""What a folder of ours says of a LoRA, where it was sent too."""
_CONFIG = re.compile(r"adapter_config\W*\d*\W*\.json")
"""A browser that has the file already calls the next one "adapter_config (1).json"."""
EXPECTED = (
    "An adapter of PEFT Demo is a .safetensors file, a LoRA of huggingface/peft is "
    f"{CONFIG} together with {TENSORS}."
)


@dataclass(frozen=True)
class Piece:
    """A file that was sent, alone or in a zip."""

    group: tuple[str, ...]
    """The folder it lies in: pieces of one folder belong together."""
    name: str
    size: int
    """Bytes."""
    open: Callable[[], AbstractContextManager[IO[bytes]]]

    @property
    def stem(self) -> str:
        return Path(self.name).stem

    @property
    def is_tensors(self) -> bool:
        return self.name.lower().endswith(SUFFIX)


@dataclass(frozen=True)
class Parcel:
    """One adapter: a file, or the folder of a LoRA of peft, which can be taken."""

    name: str
    """As the person knows it, "" where the files say nothing."""
    path: Path


def unpack(files: Sequence[Path], folder: Path) -> tuple[list[Parcel], list[Taken]]:
    """The adapters in these files, copied below `folder`, and what was refused."""
    pieces: list[Piece] = []
    refused: list[Taken] = []
    for file in files:
        try:
            pieces += _pieces(file)
        except PeftDemoError as error:
            refused.append(Taken(file.name, refusal=str(error)))
    if sum(piece.size for piece in pieces) > LIMIT:
        raise BadAdapter(
            f"these files are larger than {LIMIT / 1e9:.0f} GB together.", "Add some of them."
        )
    parcels: list[Parcel] = []
    for group in dict.fromkeys(piece.group for piece in pieces):
        together = [piece for piece in pieces if piece.group == group]
        try:
            parcels += _parcels(together, folder / str(len(parcels)))
        except PeftDemoError as error:
            refused.append(Taken("/".join(group) or CONFIG, refusal=str(error)))
    return parcels, refused


def _pieces(file: Path) -> Sequence[Piece]:
    """`BadAdapter` or `BadData` for a file that is none of those that are read."""
    kind = file.suffix.lower()
    if kind == ZIP:
        return _zipped(file)
    if kind == SUFFIX or _CONFIG.fullmatch(file.name) or file.name in NOTES:
        return [Piece((), file.name, file.stat().st_size, partial(open, file, "rb"))]
    if file.name == PICKLED:
        raise pickled(PICKLED)
    raise BadAdapter(f"{shortened(file.name)} is no adapter. {EXPECTED}")


def _zipped(file: Path) -> Sequence[Piece]:
    members = list_zip(file).files
    pieces = [
        Piece((file.stem, *member.parts[:-1]), member.parts[-1], member.size, member.open)
        for member in members
        if Path(member.parts[-1]).suffix.lower() in (SUFFIX, JSON)
    ]
    if not any(piece.is_tensors for piece in pieces):
        if any(member.parts[-1] == PICKLED for member in members):
            raise pickled(PICKLED)
        raise BadAdapter(f"{shortened(file.name)} holds no adapter. {EXPECTED}")
    return pieces


def _parcels(together: Sequence[Piece], place: Path) -> list[Parcel]:
    """The adapters in one folder of what was sent."""
    tensors = [piece for piece in together if piece.is_tensors]
    configs = [piece for piece in together if _CONFIG.fullmatch(piece.name)]
    lora = _lora(tensors) if configs else None
    if configs and lora is None:
        raise BadAdapter(
            f"{CONFIG} is half of a LoRA of huggingface/peft: {TENSORS} is missing.",
            "Add both files together, or a zip of their folder.",
        )
    parcels = []
    if lora is not None:
        notes = [piece for piece in together if piece.name in NOTES]
        parcels.append(_peft_folder(place / "lora", configs[0], lora, notes))
    for n, piece in enumerate(tensors):
        if piece is not lora:
            target = place / str(n) / f"{slug(piece.stem)}{SUFFIX}"
            _copy(piece, target)
            parcels.append(Parcel(piece.stem, target))
    return parcels


def _lora(tensors: Sequence[Piece]) -> Piece | None:
    """The tensors that a config beside them is about: those that are called so, or the only
    ones."""
    named = [piece for piece in tensors if piece.stem.startswith(Path(TENSORS).stem)]
    candidates = named or tensors
    return candidates[0] if len(candidates) == 1 else None


def _peft_folder(folder: Path, config: Piece, lora: Piece, notes: Sequence[Piece]) -> Parcel:
    _copy(config, folder / CONFIG)
    _copy(lora, folder / TENSORS)
    for note in notes:
        _copy(note, folder / note.name)
    name = lora.group[-1] if lora.group else ""
    return Parcel(name, folder)


def _copy(piece: Piece, target: Path) -> None:
    with disk_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with piece.open() as source, open(target, "wb") as file:
            shutil.copyfileobj(source, file)
