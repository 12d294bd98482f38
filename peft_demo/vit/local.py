"""Backbones that are files on this machine: the bundled one, and those registered by the person.

A registered backbone is two files under `<home>/backbones`, named by its fingerprint: the weights
under timm's names, and a small JSON record that says which architecture they fill.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from ..contracts.cards import BackboneCard
from ..contracts.errors import BadBackbone
from ..storage.header import read_header
from .checkpoint import HEADER_LIMIT, read_tensors
from .fingerprint import fingerprint
from .source import Source, anatomy_of

BUNDLED = Path(__file__).parent / "bundled"
FOLDER = "backbones"


def bundled() -> Source:
    """The backbone that ships with the project, the default."""
    file = next(BUNDLED.glob("*.safetensors"), None)
    if file is None:
        raise BadBackbone(
            "the bundled backbone is missing from this installation.",
            "Reinstall, or name another one.",
        )
    metadata = read_header(file, HEADER_LIMIT, BadBackbone).metadata
    return _source(json.loads(metadata["peft_demo_backbone"]), file, bundled=True)


def registered(home: Path) -> list[Source]:
    """The registered backbones, by name."""
    sources = []
    for record in (home / FOLDER).glob("*.json"):
        file = record.with_suffix(".safetensors")
        if file.is_file():
            sources.append(_source(json.loads(record.read_text("utf-8")), file))
    return sorted(sources, key=lambda source: source.name)


def local_card(source: Source) -> BackboneCard:
    """The card of a bundled or registered backbone."""
    anatomy = anatomy_of(source)
    return BackboneCard(
        name=source.name,
        title=source.title,
        source="bundled" if source.bundled else "registered",
        size=anatomy.grid[0] * anatomy.patch,
        parameters=anatomy.parameters,
        megabytes=source.local_file.stat().st_size / 1e6,
        licence=source.licence,
        fingerprint=fingerprint_of(source),
    )


def fingerprint_of(source: Source) -> str:
    """The fingerprint of a bundled or registered backbone."""
    changed = source.local_file.stat().st_mtime_ns
    return source.fingerprint or _fingerprint_of_file(source, changed)


@lru_cache
def _fingerprint_of_file(source: Source, changed: int) -> str:
    """Computed once for each state of the file; `changed` is when it was last written."""
    return fingerprint(read_tensors(source))


def _source(record: Mapping[str, Any], file: Path, bundled: bool = False) -> Source:
    texts = ("name", "title", "arch", "interpolation", "licence", "fingerprint")
    return Source(
        **{key: record[key] for key in texts if key in record},
        file=file,
        kwargs=tuple(sorted(record.get("kwargs", {}).items())),
        mean=tuple(record.get("mean", ())),
        std=tuple(record.get("std", ())),
        bundled=bundled,
    )
