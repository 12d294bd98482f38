"""Backbones that are files on this machine: the bundled one, and those registered by the person.

A registered backbone is two files under `<home>/backbones`, named by its fingerprint: the weights
under timm's names, and a small JSON record that says which architecture they fill, how large it is
and which timm knew it. Where all is as it was, backbones are listed without timm and torch.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from functools import lru_cache
from importlib.metadata import version
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..contracts import checks
from ..contracts.cards import BackboneCard
from ..contracts.errors import BadBackbone
from ..contracts.text import visible
from ..lazy import LazyModule
from ..storage.header import open_binary, read_header
from ..storage.paths import is_file
from .source import HEADER_LIMIT, Source, timm_names

if TYPE_CHECKING:
    from . import architecture
else:
    architecture = LazyModule("peft_demo.vit.architecture")

BUNDLED = Path(__file__).parent / "bundled"
FINGERPRINT = "935c2386480572c15c1b10292b18b7492405b527b3c0cbf0511c13ff218d3eb5"
"""Of the bundled weights, as `pretrain` made them; whoever loads them computes it again."""
FOLDER = "backbones"
RECORD_LIMIT = 1_000_000
"""Bytes of a record; one takes some hundred."""

DEEPEST = 256
"""Blocks of a backbone."""
LARGEST = 100_000
"""Any other size that timm is given."""
_NAME = checks.name(500)


def bundled() -> Source:
    """The backbone that ships with the project, the default."""
    file = next(BUNDLED.glob("*.safetensors"), None)
    if file is None:
        raise BadBackbone(
            "the bundled backbone is missing from this installation.",
            "Reinstall, or name another one.",
        )
    header = read_header(file, HEADER_LIMIT, BadBackbone)
    record = json.loads(header.metadata["peft_demo_backbone"])
    return replace(
        _source(record, file, bundled=True),
        fingerprint=FINGERPRINT,
        size=record["kwargs"]["img_size"],
        parameters=sum(prod(shape) for _, shape in header.tensors.values()),
    )


def registered(home: Path) -> list[Source]:
    """The registered backbones whose records and files are there, by name."""
    sources = [_read_record(record) for record in _records(home)]
    sound = [source for source in sources if isinstance(source, Source)]
    return sorted(sound, key=lambda source: source.name)


def damaged(home: Path) -> list[BackboneCard]:
    """Cards of the records that cannot be used; each card's refusal says why and what to do."""
    answers = [_read_record(record) for record in _records(home)]
    return [card for card in answers if isinstance(card, BackboneCard)]


def local_card(source: Source) -> BackboneCard:
    """The card of a bundled or registered backbone."""
    source = _measured(source)
    return BackboneCard(
        name=source.name,
        title=source.title,
        source="bundled" if source.bundled else "registered",
        size=source.size,
        parameters=source.parameters,
        megabytes=source.local_file.stat().st_size / 1e6,
        licence=source.licence,
        fingerprint=source.fingerprint,
    )


@lru_cache
def timm_version() -> str:
    """The version of timm that is installed."""
    return version("timm")


def _measured(source: Source) -> Source:
    """With its size and parameters; records of earlier versions do not have them."""
    if source.parameters:
        return source
    anatomy = architecture.anatomy_of(source)
    return replace(source, size=anatomy.size, parameters=anatomy.parameters)


def _records(home: Path) -> list[Path]:
    return sorted((home / FOLDER).glob("*.json"))


def _read_record(file: Path) -> Source | BackboneCard:
    """The source that a record describes, or the card of a damaged one."""
    name = file.stem
    try:
        record = json.loads(_content(file))
        name = visible(str(record["name"]))[:100] or name
        return _checked(record, file.with_suffix(".safetensors"))
    except OSError as error:
        reason = error.strerror or str(error)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        reason = "it is no record of a backbone"
    except BadBackbone as error:
        reason = error.sentence.rstrip(".")
    return damaged_card(name, f"{FOLDER}/{file.name} is damaged: {reason}.")


def _content(file: Path) -> bytes:
    with open_binary(file, BadBackbone) as stream:
        return stream.read(RECORD_LIMIT)


def damaged_card(name: str, sentence: str) -> BackboneCard:
    """The card of a registered backbone that cannot be used."""
    hint = "Register its weights again with `backbones add FILE`, or delete it."
    return BackboneCard(
        name=name,
        title=name,
        source="registered",
        size=0,
        parameters=0,
        megabytes=0.0,
        ready=False,
        refusal=f"{sentence} {hint}",
    )


def _checked(record: Mapping[str, Any], file: Path) -> Source:
    """`BadBackbone` unless it is what `register` writes, and its weights are there."""
    for key in ("name", "title", "arch", "fingerprint"):
        _NAME(record[key])
    for name, value in checks.settings(record.get("kwargs", {})).items():
        _check_setting(name, value)
    for name in ("size", "parameters"):
        checks.whole(0, checks.WHOLE)(record.get(name, 0))
    if record.get("timm") != timm_version() and record["arch"] not in timm_names():
        raise BadBackbone(f"timm has no architecture {record['arch'][:100]!r}")
    if not is_file(file):
        raise BadBackbone("its weights are gone")
    return _source(record, file)


def _check_setting(name: str, value: Any) -> None:
    """`Unexpected` unless timm could have been given this: a word, yes or no, or a size."""
    if not isinstance(value, str | bool | None):
        checks.whole(0, DEEPEST if name == "depth" else LARGEST)(value)


def _source(record: Mapping[str, Any], file: Path, bundled: bool = False) -> Source:
    texts = ["name", "title", "arch", "fingerprint"]
    texts += ["interpolation", "licence"] if bundled else []
    return Source(
        **{key: record[key] for key in texts if key in record},
        file=file,
        kwargs=tuple(sorted(record.get("kwargs", {}).items())),
        mean=tuple(record.get("mean", ())) if bundled else (),
        std=tuple(record.get("std", ())) if bundled else (),
        bundled=bundled,
        size=record.get("size", 0),
        parameters=record.get("parameters", 0),
    )
