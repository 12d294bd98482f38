"""The adapter file: one safetensors file that holds the adapter's tensors, its head, and a card for all the rest.

The header's metadata has `format`, the four keys ModelSpec requires, and `peft_demo`: the `AdapterCard` as JSON.
Nothing of the backbone is in it but the tensors the adapter replaces, which the card lists.

A file is judged in this order, and nothing is attached before the end: header sound and small → card well-formed →
made for this backbone → method and knobs known → names, shapes and dtypes as the method builds them (on the meta
device, no memory) → values finite and in range.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load as load_bytes
from safetensors.torch import save as save_bytes

from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import BadAdapter, BadValue, UnknownName, WrongBackbone
from ..methods import find_method
from ..storage.header import Header, read_header
from ..vit import Anatomy, Backbone
from .adapter import Adapter, materialize, meta_adapter
from .codec import mark_dequantized, pack, unpack

HEADER_LIMIT = 1_000_000
"""Bytes; the card of a 100-class, 16-shot adapter takes about 70 kB."""

FILE_LIMIT = 4_000_000_000
"""Bytes; full fine-tuning of a ViT-H."""

_DTYPES = {torch.float32: "F32", torch.int32: "I32", torch.uint8: "U8"}


def dump(adapter: Adapter, card: AdapterCard) -> bytes:
    """The whole file."""
    return seal(pack(adapter), card)


def seal(tensors: Mapping[str, torch.Tensor], card: AdapterCard) -> bytes:
    """The file of tensors that are as `pack` gives them."""
    return save_bytes(
        {name: t.cpu().contiguous().clone() for name, t in tensors.items()}, _metadata(card)
    )


def with_card(source: Path | bytes, card: AdapterCard) -> bytes:
    """The same tensors under another card: a rename, a class renamed."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    return save_bytes(load_bytes(data), _metadata(card))


def read_card(source: Path | bytes) -> AdapterCard:
    """The card of a file, without reading a tensor; `BadAdapter` if the file or the card is not sound."""
    return _card(_header(source), _name(source))


def load(source: Path | bytes, backbone: Backbone) -> tuple[Adapter, AdapterCard]:
    """The adapter of a file, ready to attach to `backbone`, and its card. `BadAdapter` says why not."""
    header = _header(source)
    card = _card(header, _name(source))
    check_backbone(card, backbone)
    adapter = _fitting(card, header, backbone.anatomy)
    state = unpack(adapter, load_bytes(source) if isinstance(source, bytes) else _read(source))
    _check_values(state, card)
    adapter = mark_dequantized(
        materialize(adapter, {name: t.to(backbone.device) for name, t in state.items()})
    ).eval()
    for delta in adapter.deltas.values():
        delta.check()
    return adapter, card


def check_backbone(card: AdapterCard, backbone: Backbone) -> None:
    """`WrongBackbone` unless the card was made for exactly these weights at this size."""
    if card.fingerprint != backbone.fingerprint:
        other = "" if card.backbone == backbone.name else f", this is {backbone.name}"
        raise WrongBackbone(
            f"{card.name} was trained on {card.backbone} (sha256 {card.fingerprint[:12]}…){other}"
            f" (sha256 {backbone.fingerprint[:12]}…).",
            "Switch to that backbone, or train one like it here.",
        )
    if card.size != backbone.size:
        raise WrongBackbone(
            f"{card.name} was trained at {card.size} px, this backbone is set to {backbone.size} px."
        )


def _header(source: Path | bytes) -> Header:
    if not isinstance(source, bytes) and source.is_file() and source.stat().st_size > FILE_LIMIT:
        raise BadAdapter(f"{source.name} is larger than any adapter ({FILE_LIMIT / 1e9:.0f} GB).")
    return read_header(source, HEADER_LIMIT, BadAdapter)


def _card(header: Header, name: str) -> AdapterCard:
    if "peft_demo" not in header.metadata:
        raise BadAdapter(f"{name} holds no adapter card, so it was not made by PEFT Demo.")
    try:
        plain = json.loads(header.metadata["peft_demo"])
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise BadAdapter(f"the card inside {name} is ill-formed.")
    return AdapterCard.from_json(plain)


def _fitting(card: AdapterCard, header: Header, anatomy: Anatomy) -> Adapter:
    try:
        kind = find_method(card.method)
        adapter = meta_adapter(
            kind, kind.config(card.knobs), anatomy, len(card.classes), card.extra
        )
    except (UnknownName, BadValue) as error:
        raise BadAdapter(f"{card.name} cannot be rebuilt: {error}") from None
    expected = {name: (_DTYPES[t.dtype], tuple(t.shape)) for name, t in pack(adapter).items()}
    for name in sorted(set(expected) ^ set(header.tensors)):
        word = "lacks" if name in expected else "has an unexpected"
        raise BadAdapter(f"{card.name} is not what its card says: it {word} tensor {name[:200]!r}.")
    for name, wanted in expected.items():
        if header.tensors[name] != wanted:
            raise BadAdapter(
                f"{card.name}: {name} is {_say(header.tensors[name])}, expected {_say(wanted)}."
            )
    return adapter


def _check_values(state: dict[str, torch.Tensor], card: AdapterCard) -> None:
    for name, tensor in state.items():
        if not tensor.sum().isfinite():  # one pass, where asking each number takes three
            raise BadAdapter(f"{card.name} holds a value that is not finite, in {name}.")


def _read(file: Path) -> dict[str, torch.Tensor]:
    with safe_open(file, "pt") as f:
        return {name: f.get_tensor(name) for name in f.keys()}  # noqa: SIM118 (not a dict)


def _metadata(card: AdapterCard) -> dict[str, str]:
    return {
        "format": "pt",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{card.arch}/{card.method}",
        "modelspec.implementation": "peft_demo",
        "modelspec.title": card.name,
        "modelspec.date": card.created,
        **(
            {"modelspec.thumbnail": f"data:image/jpeg;base64,{card.thumbnail}"}
            if card.thumbnail
            else {}
        ),
        "peft_demo": json.dumps(card.to_json(), ensure_ascii=False, separators=(",", ":")),
    }


def _name(source: Path | bytes) -> str:
    return "this file" if isinstance(source, bytes) else source.name


def _say(about: tuple[str, tuple[int, ...]]) -> str:
    return f"{about[0]} {list(about[1])}"
