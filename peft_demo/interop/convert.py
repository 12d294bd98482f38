"""Adapters made elsewhere, written as files of ours: a LoRA of huggingface/peft, or a 1-bit file of
its paper's release.

What their files do not say (classes, scale, normalisation, backbone) a person says, in
`ImportHints`. What comes out is read back as any adapter file is, with all its checks.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from torch import Tensor

from ..adapters.adapter import Adapter, meta_adapter
from ..adapters.codec import pack
from ..adapters.file import AdapterFile, load, seal
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import BadAdapter, BadValue, WrongBackbone
from ..contracts.specs import ImportHints
from ..contracts.text import quoted
from ..methods import find_method
from ..storage.header import open_binary
from ..storage.paths import is_file, is_folder
from ..vit import Backbone
from ..vit.source import timm_names
from .binary_release import MEAN, METHODS, STD, from_binary_release
from .from_peft import from_peft
from .peft_config import CONFIG, method_of
from .peft_folder import TENSORS, PeftFolder, is_pickle, pickled, read_folder

BINARY = ".bin"
"""How the name of a 1-bit file ends."""

BINARY_LIMIT = 100_000_000
"""Bytes of a 1-bit file; the largest that the paper released has 800 kB."""


def is_foreign(path: Path) -> bool:
    """Whether `path` is of a kind that is read here: a folder, peft's tensors in one, a 1-bit
    file."""
    peft_tensors = path.name == TENSORS and is_file(path.parent / CONFIG)
    return peft_tensors or is_folder(path) or path.suffix == BINARY


def with_defaults(path: Path, hints: ImportHints) -> ImportHints:
    """`hints`, and what the file at `path` says itself where they are silent.

    Raises `BadAdapter` or `BadValue` if that is not enough.
    """
    if path.suffix == BINARY:
        if is_pickle(path):
            raise pickled(path.name)
        return _with_binary_defaults(path, hints)
    return _with_peft_defaults(read_folder(path), hints)


def convert(path: Path, hints: ImportHints, backbone: Backbone) -> AdapterFile:
    """Our adapter file of what is at `path`, made for `backbone`; `hints` are `with_defaults`."""
    if hints.fingerprint and hints.fingerprint != backbone.fingerprint:
        raise WrongBackbone(
            f"this adapter was made on a backbone with sha256 {hints.fingerprint[:12]}…, and"
            f" {backbone.name} has {backbone.fingerprint[:12]}…."
        )
    if path.suffix == BINARY:
        adapter, tensors = _read_binary(path, hints, backbone)
        card = _card(adapter, hints, backbone.with_normalisation(MEAN, STD))
    else:
        folder = read_folder(path)
        adapter = from_peft(folder, backbone, len(hints.classes))
        tensors = pack(adapter)
        normalised = backbone.with_normalisation(*normalisation(folder, backbone))
        card = _with_window(_card(adapter, hints, normalised), folder.note)
    file = AdapterFile.parse(seal(tensors, card))
    load(file, backbone)
    return file


def _with_binary_defaults(path: Path, hints: ImportHints) -> ImportHints:
    if hints.method not in METHODS:
        instead = f", not {hints.method!r}" if hints.method else ""
        raise BadValue(
            f"a 1-bit file does not say its method: bi_lora or bi_adaptformer{instead}.",
            "Add --method.",
        )
    if "scale" not in hints.knobs:
        raise BadValue(
            "a 1-bit file does not hold the scale s it was trained with.",
            "Add --set scale=10, or what it was.",
        )
    return _checked(replace(hints, name=hints.name or path.stem))


def _with_peft_defaults(folder: PeftFolder, hints: ImportHints) -> ImportHints:
    method = method_of(folder.config)
    if hints.method not in ("", method):
        raise BadValue(
            f"this LoRA of peft becomes a {method!r}, not a {hints.method!r}.",
            "Leave out --method.",
        )
    note = folder.note
    size = note.get("size")
    classes = tuple(name for name in _list(note, "classes") if isinstance(name, str))
    completed = replace(
        hints,
        classes=hints.classes or classes,
        backbone=hints.backbone or _text(note, "backbone") or _base(folder.config),
        size=hints.size or (size if isinstance(size, int) else 0),
        name=hints.name or _text(note, "name") or folder.name,
        fingerprint=hints.fingerprint or _text(note, "fingerprint"),
    )
    completed = _checked(completed)
    if not completed.backbone:
        raise _unknown_base(folder.config)
    return completed


def _checked(hints: ImportHints) -> ImportHints:
    if not hints.classes:
        raise BadValue(
            "the classes are not in this file.",
            "Name them in the order of the head: --classes a,b,c, or --classes-file FILE.",
        )
    if len(set(hints.classes)) < len(hints.classes):
        raise BadValue("two classes have the same name.", "Give each class its own name.")
    return hints


def _read_binary(
    path: Path, hints: ImportHints, backbone: Backbone
) -> tuple[Adapter, Mapping[str, Tensor]]:
    method = find_method(hints.method)
    config = method.config(hints.knobs)
    adapter = meta_adapter(method, config, backbone.anatomy, len(hints.classes))
    with open_binary(path, BadAdapter) as stream:
        content = stream.read(BINARY_LIMIT + 1)
    if len(content) > BINARY_LIMIT:
        raise BadAdapter(
            f"{path.name} is larger than any 1-bit adapter ({BINARY_LIMIT / 1e6:.0f} MB)."
        )
    return adapter, from_binary_release(content, adapter)


def normalisation(folder: PeftFolder, backbone: Backbone) -> tuple[tuple, tuple]:
    """(mean, std) that the folder says, or those of `backbone`; what they may be, the card's check
    says."""
    mean = tuple(_list(folder.note, "mean"))
    std = tuple(_list(folder.note, "std"))
    if mean and std:
        return mean, std
    return backbone.mean, backbone.std


def _card(adapter: Adapter, hints: ImportHints, backbone: Backbone) -> AdapterCard:
    return AdapterCard(
        name=hints.name,
        method=adapter.method.name,
        knobs=dict(vars(adapter.config)),
        classes=hints.classes,
        **backbone.facts(),
        spec={},
        trainable=adapter.trainable,
        head=adapter.head_parameters,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _with_window(card: AdapterCard, note: Mapping[str, Any]) -> AdapterCard:
    """The card with the window that a folder of ours says; the card checks what it may be."""
    return replace(card, window=tuple(_list(note, "window")), ground=_text(note, "ground"))


def _text(note: Mapping[str, Any], name: str) -> str:
    value = note.get(name)
    return value if isinstance(value, str) else ""


def _list(note: Mapping[str, Any], name: str) -> list[Any]:
    value = note.get(name)
    return value if isinstance(value, list) else []


def _base(config: Mapping[str, Any]) -> str:
    """timm's name of the backbone that a config of peft names; "" if it names none of timm's, since
    a shape does not say which weights there were."""
    name = config.get("base_model_name_or_path")
    short = name.removeprefix("timm/") if isinstance(name, str) else ""
    return short if short in timm_names() else ""


def _unknown_base(config: Mapping[str, Any]) -> BadValue:
    name = config.get("base_model_name_or_path")
    if not name:
        return BadValue(
            "this LoRA does not say on which backbone it was made.",
            "Name it on the command line, with --backbone.",
        )
    return BadValue(
        f"this LoRA was made on {quoted(name)}, which is no name of timm's, so nothing proves which"
        " weights those are.",
        "Name the backbone that has them with --backbone. Weights of transformers are taken in by"
        " `backbones add model.safetensors --arch vit_base_patch16_224 --as NAME`.",
    )
