"""An adapter with its backbone as one ONNX file that needs nothing beside it: pictures in, answers
out.

`images` are uint8 [B H W 3], see `onnx_input`. It answers `logits` and `probabilities` [B C] and,
where the adapter can tell that a picture is none of its classes, `doubt` [B] (`contracts.doubt`).
Merged where that works, so that the file holds a plain model; else with its deltas in place. B is
dynamic. The metadata says, each as JSON: `classes`, `limit` (the doubt above which the answer is
"none of these"), `window` and `ground` (of deep and transparent pictures, see `contracts.window`),
and where it came from: `name`, `method`, `backbone`, `arch`, `fingerprint`, `size`; and `probe`:
what the adapter answers to the probe pictures (`contracts.probes`). torch's exporter needs the
packages onnx and onnxscript.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

import torch
from torch import Tensor, nn

from ..adapters.adapter import Adapter
from ..adapters.attach import attach, without_head
from ..adapters.class_means import distances
from ..adapters.codec import dequantized
from ..adapters.merge import merge
from ..contracts.adapter_card import AdapterCard
from ..contracts.doubt import LIMIT
from ..contracts.errors import CannotExport, CannotMerge
from ..contracts.probes import KEY, Probes
from ..vit import Backbone
from .onnx_input import take_pictures

CARD_FIELDS = (
    "classes",
    "size",
    "window",
    "ground",
    "name",
    "method",
    "backbone",
    "arch",
    "fingerprint",
)
"""What the metadata holds of the card, beside `limit`."""

FILE_LIMIT = 2_000_000_000
"""Bytes that one ONNX file can hold."""


def to_onnx(
    backbone: Backbone, adapter: Adapter, card: AdapterCard, probes: Probes | None = None
) -> tuple[bytes, bool]:
    """The file, and whether the adapter is merged into the weights.

    `probes` are what it answers to the probe pictures, for the metadata. Raises `CannotExport`
    where the packages are missing or the model is too large.
    """
    model, merged = _model(backbone, adapter)
    if sum(tensor.nbytes for tensor in model.state_dict().values()) > FILE_LIMIT:
        raise CannotExport(
            f"{backbone.name} is larger than one ONNX file can be (2 GB).", "Use `merge`."
        )
    features = without_head(model, backbone.anatomy)
    answering = _Answering(features, adapter, card.doubt).eval()
    proto = _export(answering, backbone)
    shape = proto.graph.input[0].type.tensor_type.shape
    if not shape.dim[0].dim_param:
        raise CannotExport(
            f"{adapter.method.title} computes with a fixed number of images, so the file would"
            " answer for no other number."
        )
    take_pictures(proto, card.size, card.mean, card.std)
    metadata = {name: getattr(card, name) for name in CARD_FIELDS} | {"limit": LIMIT}
    for name, value in metadata.items():
        proto.metadata_props.add(key=name, value=json.dumps(value, ensure_ascii=False))
    if probes is not None:
        proto.metadata_props.add(key=KEY, value=probes.to_text())
    return proto.SerializeToString(), merged


def _model(backbone: Backbone, adapter: Adapter) -> tuple[nn.Module, bool]:
    try:
        return merge(backbone, adapter).eval(), True
    except CannotMerge:
        return attach(backbone, dequantized(adapter)).eval(), False


class _Answering(nn.Module):
    """Normalised images [B 3 S S] → logits and probabilities [B C] and, where it is known how far
    validation images are, doubt [B].
    """

    means: Tensor
    knots: Tensor
    gaps: Tensor

    def __init__(self, features: nn.Module, adapter: Adapter, known: Sequence[float]):
        super().__init__()
        self.features = features
        self.head = adapter.head
        self.doubts = adapter.class_means is not None and bool(known)
        if self.doubts:
            means = cast(Tensor, adapter.class_means)
            knots = torch.tensor(known, device=means.device)
            self.register_buffer("means", means.float())
            self.register_buffer("knots", knots[:-1])
            self.register_buffer("gaps", knots.diff().clamp_min(1e-12))

    def forward(self, images: Tensor) -> tuple[Tensor, ...]:
        features = self.features(images)
        logits = self.head(features)
        answers = logits, logits.softmax(dim=-1)
        return (*answers, self._doubt(features)) if self.doubts else answers

    def _doubt(self, features: Tensor) -> Tensor:
        """As `inference.doubt`: the share of validation images that lie nearer, between two of the
        known distances by a straight line.
        """
        found = distances(features, self.means)[:, None]
        passed = ((found - self.knots) / self.gaps).clamp(0, 1)
        return passed.mean(dim=1)

    @property
    def outputs(self) -> list[str]:
        return ["logits", "probabilities", *(["doubt"] if self.doubts else [])]


def _export(model: _Answering, backbone: Backbone) -> Any:
    """The ModelProto of `model`; `Any` because the package onnx is optional."""
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        hint = "Run `pip install onnx onnxscript`."
        raise CannotExport("writing ONNX needs the packages onnx and onnxscript.", hint) from None
    images = torch.zeros(2, 3, backbone.size, backbone.size, device=backbone.device)
    program = torch.onnx.export(
        model,
        (images,),
        dynamo=True,
        input_names=["images"],
        output_names=model.outputs,
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None  # with dynamo
    return program.model_proto
