"""Adapters made elsewhere, written as files of ours: a LoRA of huggingface/peft, a 1-bit file of its paper's release.

What their files do not say (classes, scale, normalisation, backbone) a person does, in a `Foreign`. What comes out is
read back as any adapter file is, with all its checks, before anybody gets it.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ..adapters.adapter import Adapter, meta_adapter
from ..adapters.codec import pack
from ..adapters.file import AdapterFile, load, seal
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import BadAdapter, BadValue, WrongBackbone
from ..contracts.knobs import knobs
from ..contracts.specs import ImportHints
from ..methods import find_method
from ..vit import Backbone
from .binary_release import MEAN, METHODS, STD, from_binary_release
from .from_peft import from_peft, read_folder
from .to_peft import CONFIG, TENSORS

FILE_LIMIT = 100_000_000
"""Bytes of a 1-bit file; the largest the paper released has 800 kB."""


def is_foreign(path: Path) -> bool:
    """Whether `path` is of a kind that is read here: a folder, peft's tensors in theirs, a `.bin`."""
    peft = path.name == TENSORS and (path.parent / CONFIG).is_file()
    return peft or path.is_dir() or path.suffix == ".bin"


def with_defaults(path: Path, given: ImportHints) -> ImportHints:
    """`given`, and what the file says itself where it is silent; `BadAdapter` or `BadValue` if that is not enough."""
    if path.suffix == ".bin":
        return _checked_released(replace(given, name=given.name or path.stem))
    folder = read_folder(path)
    about = folder.about
    named = folder.config.get("base_model_name_or_path")
    given = replace(
        given,
        classes=given.classes or tuple(c for c in _list(about, "classes") if isinstance(c, str)),
        backbone=given.backbone or _text(about, "backbone") or _timm(named),
        size=given.size or (about["size"] if isinstance(about.get("size"), int) else 0),
        name=given.name or _text(about, "name") or folder.file.absolute().parent.name,
        fingerprint=given.fingerprint or _text(about, "fingerprint"),
    )
    if given.method not in ("", "lora"):
        raise BadValue(
            f"a LoRA of peft becomes a 'lora', not a {given.method!r}.", "Leave out --method."
        )
    return _checked(given)


def convert(path: Path, given: ImportHints, backbone: Backbone) -> AdapterFile:
    """Our adapter file of what is at `path`, made for `backbone`; `given` is `completed`."""
    if given.fingerprint and given.fingerprint != backbone.fingerprint:
        raise WrongBackbone(
            f"this adapter was made on a backbone with sha256 {given.fingerprint[:12]}…, and {backbone.name} has"
            f" {backbone.fingerprint[:12]}…."
        )
    if path.suffix == ".bin":
        kind = find_method(given.method)
        adapter = meta_adapter(kind, kind.config(given.knobs), backbone.anatomy, len(given.classes))
        tensors = from_binary_release(_read(path), adapter)
        normalisation = (MEAN, STD)
    else:
        folder = read_folder(path)
        adapter = from_peft(folder, backbone, len(given.classes))
        tensors = pack(adapter)
        normalisation = _normalisation(folder.about, backbone)
    content = seal(tensors, _card(adapter, given, backbone.with_normalisation(*normalisation)))
    file = AdapterFile.parse(content)
    load(file, backbone)
    return file


def _card(adapter: Adapter, given: ImportHints, backbone: Backbone) -> AdapterCard:
    return AdapterCard(
        name=given.name,
        method=adapter.method.name,
        knobs={k.name: getattr(adapter.config, k.name) for k in knobs(type(adapter.config))},
        classes=given.classes,
        **backbone.facts(),
        spec={},
        trainable=adapter.trainable,
        head=adapter.head_parameters,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _checked_released(given: ImportHints) -> ImportHints:
    if given.method not in METHODS:
        came = f", not {given.method!r}" if given.method else ""
        raise BadValue(
            f"a 1-bit file does not say what it is: bi_lora or bi_adaptformer{came}.",
            "Add --method.",
        )
    if "scale" not in given.knobs:
        raise BadValue(
            "a 1-bit file does not hold the scale s it was trained with.",
            "Add --set scale=10, or what it was.",
        )
    return _checked(given)


def _checked(given: ImportHints) -> ImportHints:
    if not given.classes:
        raise BadValue(
            "the classes are not in this file.",
            "Name them in the order of the head: --classes a,b,c.",
        )
    if len(set(given.classes)) < len(given.classes):
        raise BadValue("two classes have the same name.", "Each takes a name of its own.")
    return given


def _normalisation(about: Mapping[str, Any], backbone: Backbone) -> tuple[tuple, tuple]:
    mean, std = (tuple(_list(about, name)) for name in ("mean", "std"))
    return (mean, std) if mean and std else (backbone.mean, backbone.std)


def _read(file: Path) -> bytes:
    if file.stat().st_size > FILE_LIMIT:
        raise BadAdapter(
            f"{file.name} is larger than any 1-bit adapter ({FILE_LIMIT / 1e6:.0f} MB)."
        )
    return file.read_bytes()


def _text(about: Mapping[str, Any], name: str) -> str:
    return about[name] if isinstance(about.get(name), str) else ""


def _list(about: Mapping[str, Any], name: str) -> list:
    return about[name] if isinstance(about.get(name), list) else []


def _timm(named: Any) -> str:
    return named.removeprefix("timm/") if isinstance(named, str) else ""
