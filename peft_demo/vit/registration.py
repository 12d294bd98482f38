"""Taking in a backbone from a file: checked, fingerprinted, and copied under the person's home."""

import json
import re
from dataclasses import replace
from pathlib import Path

import timm

from ..contracts.cards import BackboneCard
from ..contracts.errors import BadBackbone, UnknownName
from ..storage.atomic import copy_file, write_file
from .checkpoint import read_tensors
from .fingerprint import fingerprint
from .local import FOLDER, local_card
from .source import Source, anatomy_of, timm_names


def register(file: Path, home: Path, arch: str = "", name: str = "") -> BackboneCard:
    """Checks a local timm checkpoint and keeps a copy under `home` for every command and the page.

    `arch` is a timm name; empty, it is guessed from the file's name. `BadBackbone` says what does
    not fit.
    """
    file = Path(file)
    arch = arch or guess_arch(file)
    if arch not in timm_names():
        raise UnknownName("timm architecture", arch, timm.list_models(["vit*", "deit*", "swin_*"]))
    source = Source(name or arch, f"{arch}, from {file.name}", arch, file)
    anatomy_of(source)
    source = replace(source, fingerprint=fingerprint(read_tensors(source)))
    return local_card(_keep(source, home / FOLDER))


def guess_arch(file: Path) -> str:
    """The timm name that a file's name starts with; `BadBackbone` asks for `--arch` without one."""
    fitting = [name for name in timm_names() if _starts_with_word(file.name, name)]
    if not fitting:
        raise BadBackbone(
            f"which architecture {file.name} fills cannot be told from its name.",
            "Add --arch NAME.",
        )
    return max(fitting, key=len)


def _starts_with_word(text: str, word: str) -> bool:
    return text.startswith(word) and not re.match(r"\w", text[len(word) :])


def _keep(source: Source, folder: Path) -> Source:
    """Copies the weights, then writes the record that makes them count."""
    record = {
        "name": source.name,
        "title": source.title,
        "arch": source.arch,
        "fingerprint": source.fingerprint,
    }
    file = folder / f"{source.fingerprint[:32]}.safetensors"
    copy_file(source.local_file, file)
    write_file(file.with_suffix(".json"), json.dumps(record, indent=1).encode())
    return replace(source, file=file)
