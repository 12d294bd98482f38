"""The adapter file: one safetensors file that holds the adapter's tensors, its head, and a card for
all the rest.

Among the tensors may be `class_means`, by which a picture of none of the classes is told, and
`probe_logits` [2 C], what the adapter answers to the probe pictures (`contracts.probes`). The
header's metadata has `format`, the four keys that ModelSpec requires, and `peft_demo`: the
`AdapterCard` as JSON. Nothing of the backbone is in it but the tensors that the adapter replaces,
which the card lists.

A file is judged in this order, and nothing is attached before the end.
`AdapterFile`: header small and sound → file not too large → card well-formed (this much is
`storage.adapter_header`).
`load`: made for this backbone → method and knobs known → names, shapes and dtypes as the method
builds them (on the meta device, without memory) → values finite and in range.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as to_bytes
from torch import Tensor

from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import BadAdapter, BadValue, UnknownName, WrongBackbone
from ..contracts.probes import PICTURES, VERSION, Probes
from ..contracts.text import quoted, shortened
from ..methods import Method, find_method
from ..storage.adapter_header import judge
from ..storage.header import Header, open_binary, read_whole
from ..vit import Anatomy, Backbone
from .adapter import Adapter, materialize, meta_adapter
from .codec import mark_dequantized, pack, unpack

PROBE_LOGITS = "probe_logits"

_DTYPES = {torch.float32: "F32", torch.int32: "I32", torch.int8: "I8", torch.uint8: "U8"}

Layout = Mapping[str, tuple[str, tuple[int, ...]]]
"""Tensor name → its dtype, as safetensors writes it, and its shape."""


@dataclass(frozen=True, repr=False)
class AdapterFile:
    """The bytes of an adapter file with its header and card, read and judged once, then passed on.

    The tensors are judged by `load`. What is saved is `content`: exactly what was judged, whatever
    happens meanwhile to the file it came from.
    """

    content: bytes
    header: Header = field(compare=False)
    card: AdapterCard = field(compare=False)

    @classmethod
    def open(cls, path: Path) -> "AdapterFile":
        """The file at `path`, its header judged before the rest is read into memory.

        `BadAdapter` says why not.
        """
        with open_binary(path, BadAdapter) as stream:
            header, card = judge(stream, path.name)
            content = read_whole(stream, header, path.name, BadAdapter)
        return cls(content, header, card)

    @classmethod
    def parse(cls, content: bytes) -> "AdapterFile":
        """The file whose bytes are `content`; `BadAdapter` says why not."""
        return cls(content, *judge(BytesIO(content), "this file"))

    @property
    def accuracy(self) -> float | None:
        """On the test images, a fraction of 1; None where it was not measured."""
        return self.card.test_accuracy

    def with_card(self, card: AdapterCard) -> "AdapterFile":
        """The same tensors under another card: a rename, a class renamed."""
        return AdapterFile.parse(_bytes(self.tensors(), card))

    def with_probe_logits(self, logits: Tensor) -> "AdapterFile":
        """The same adapter with its `logits` [2 C] for the probe pictures, as every file that is
        finished has them; without any where they are not finite numbers."""
        tensors = self.tensors()
        tensors.pop(PROBE_LOGITS, None)
        if not logits.isfinite().all():
            return AdapterFile.parse(seal(tensors, replace(self.card, probes=0)))
        tensors[PROBE_LOGITS] = logits.float()
        return AdapterFile.parse(seal(tensors, replace(self.card, probes=VERSION)))

    @property
    def probes(self) -> Probes | None:
        """What it answered to the probe pictures, None where the file does not say.

        `BadAdapter` for logits that are not what the card says.
        """
        if not self.card.probes:
            return None
        _check_shapes(self, _probe_layout(self.card))
        logits = self.tensors()[PROBE_LOGITS]
        _check_values({PROBE_LOGITS: logits}, self.card)
        rows = logits.tolist()
        return Probes(self.card.classes, tuple(map(tuple, rows)), self.card.probes)

    def tensors(self) -> dict[str, Tensor]:
        """The tensors as they are in the file, on the CPU; `BadAdapter` if they cannot be read."""
        try:
            return parse_tensors(self.content)
        except SafetensorError:
            name = shortened(self.card.name)
            raise BadAdapter(f"the tensors of {name} cannot be read.") from None

    def __repr__(self) -> str:
        return f"<adapter {self.card.name!r}: {self.card.method} on {self.card.backbone}>"


def dump(adapter: Adapter, card: AdapterCard) -> bytes:
    """The whole file of `adapter`."""
    return seal(pack(adapter), card)


def seal(tensors: Mapping[str, Tensor], card: AdapterCard) -> bytes:
    """The whole file of tensors that are as `pack` gives them."""
    copies = {name: tensor.cpu().contiguous().clone() for name, tensor in tensors.items()}
    return _bytes(copies, card)


def load(file: AdapterFile, backbone: Backbone) -> Adapter:
    """The adapter of a file, ready to attach to `backbone`. `BadAdapter` says why not."""
    card = file.card
    check_backbone(card, backbone)
    skeleton, layout = _skeleton_of(card, backbone.anatomy)
    _check_layout(file, {**layout, **_probe_layout(card)})
    tensors = file.tensors()
    state = unpack(skeleton, tensors)
    _check_values(state, card)
    _check_values({name: tensors[name] for name in _probe_layout(card)}, card)
    device = backbone.device
    on_device = {name: tensor.to(device) for name, tensor in state.items()}
    adapter = mark_dequantized(materialize(skeleton, on_device))
    for delta in adapter.by_site().values():
        delta.check()
    return adapter


def check_backbone(card: AdapterCard, backbone: Backbone) -> None:
    """`WrongBackbone` unless the card was made for exactly these weights at this size."""
    name = shortened(card.name)
    if card.fingerprint != backbone.fingerprint:
        trained_on = shortened(card.backbone)
        other = "" if card.backbone == backbone.name else f", this is {backbone.name}"
        raise WrongBackbone(
            f"{name} was trained on {trained_on} (sha256 {card.fingerprint[:12]}…){other}"
            f" (sha256 {backbone.fingerprint[:12]}…).",
            "Switch to that backbone, or train one like it here.",
        )
    if card.size != backbone.size:
        raise WrongBackbone(
            f"{name} was trained at {card.size} px, this backbone is set to {backbone.size} px."
        )


def _skeleton_of(card: AdapterCard, anatomy: Anatomy) -> tuple[Adapter, Layout]:
    """The adapter that the card describes, on the meta device, and how its file is laid out."""
    try:
        method = find_method(card.method)
        config = method.config(card.knobs)
        extra = json.dumps(card.extra)
        return _skeleton(method, config, anatomy, len(card.classes), extra, bool(card.doubt))
    except (UnknownName, BadValue) as error:
        raise BadAdapter(f"{shortened(card.name)} cannot be rebuilt: {error}") from None


@lru_cache(maxsize=32)
def _skeleton(
    method: Method, config: Any, anatomy: Anatomy, classes: int, extra: str, doubts: bool
) -> tuple[Adapter, Layout]:
    """A `meta_adapter`, made once: most of a zoo is one method with the same knobs."""
    made = meta_adapter(method, config, anatomy, classes, json.loads(extra), doubts=doubts).eval()
    return made, {n: (_DTYPES[t.dtype], tuple(t.shape)) for n, t in pack(made).items()}


def _probe_layout(card: AdapterCard) -> Layout:
    """How the logits of the probe pictures are laid out, where there are any."""
    return {PROBE_LOGITS: ("F32", (PICTURES, len(card.classes)))} if card.probes else {}


def _check_layout(file: AdapterFile, expected: Layout) -> None:
    """`BadAdapter` unless the file holds these tensors alone, by name, dtype and shape."""
    for tensor in sorted(set(file.header.tensors) - set(expected)):
        raise _other_than_its_card(file, f"has an unexpected tensor {quoted(tensor)}")
    _check_shapes(file, expected)


def _check_shapes(file: AdapterFile, expected: Layout) -> None:
    """`BadAdapter` unless the file holds these tensors, by dtype and shape."""
    name = shortened(file.card.name)
    actual = file.header.tensors
    for tensor, layout in expected.items():
        if tensor not in actual:
            raise _other_than_its_card(file, f"lacks tensor {quoted(tensor)}")
        if actual[tensor] != layout:
            raise BadAdapter(
                f"{name}: {tensor} is {_described(actual[tensor])}, expected {_described(layout)}."
            )


def _other_than_its_card(file: AdapterFile, how: str) -> BadAdapter:
    return BadAdapter(f"{shortened(file.card.name)} is not what its card says: it {how}.")


def _check_values(state: Mapping[str, Tensor], card: AdapterCard) -> None:
    for name, tensor in state.items():
        # A sum takes one pass where asking each number takes three, but it can overflow.
        if not tensor.sum().isfinite() and not tensor.isfinite().all():
            raise BadAdapter(
                f"{shortened(card.name)} contains a value that is not a finite number, in {name}."
            )


def _bytes(tensors: Mapping[str, Tensor], card: AdapterCard) -> bytes:
    """The file, the same bytes each time: safetensors writes metadata in an order that changes."""
    content = to_bytes(dict(tensors), _metadata(card))
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + content[end:]


def _metadata(card: AdapterCard) -> dict[str, str]:
    metadata = {
        "format": "pt",
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": f"{card.arch}/{card.method}",
        "modelspec.implementation": "peft_demo",
        "modelspec.title": card.name,
        "modelspec.date": card.created,
        "peft_demo": json.dumps(card.to_json(), ensure_ascii=False, separators=(",", ":")),
    }
    if card.thumbnail:
        metadata["modelspec.thumbnail"] = f"data:image/jpeg;base64,{card.thumbnail}"
    return metadata


def _described(layout: tuple[str, tuple[int, ...]]) -> str:
    dtype, shape = layout
    return f"{dtype} {list(shape)}"
