"""An adapter with its backbone as one ONNX file: normalised `images` [B 3 S S] to `logits` [B C].

Merged where that works, so that the file holds a plain model; else with its deltas in place. B is
dynamic. The metadata says what a program needs beside the model, each as JSON: `classes`, `size`,
`mean`, `std`, `resize`, `window` and `ground` (see `contracts.window`), and where it came from:
`name`, `method`, `backbone`, `arch`, `fingerprint`. torch's exporter needs the packages onnx and
onnxscript.
"""

import json
from typing import Any

import torch
from torch import nn

from ..adapters.adapter import Adapter
from ..adapters.attach import attach
from ..adapters.codec import dequantized
from ..adapters.merge import merge
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import CannotExport, CannotMerge
from ..data.tensors import RESIZED
from ..vit import Backbone

CARD_FIELDS = (
    "classes",
    "size",
    "mean",
    "std",
    "window",
    "ground",
    "name",
    "method",
    "backbone",
    "arch",
    "fingerprint",
)
"""What the metadata holds of the card, beside `resize`."""

FILE_LIMIT = 2_000_000_000
"""Bytes that one ONNX file can hold."""


def to_onnx(backbone: Backbone, adapter: Adapter, card: AdapterCard) -> tuple[bytes, bool]:
    """The file, and whether the adapter is merged into the weights.

    Raises `CannotExport` where the packages are missing or the model is too large.
    """
    model, merged = _model(backbone, adapter)
    if sum(tensor.nbytes for tensor in model.state_dict().values()) > FILE_LIMIT:
        raise CannotExport(
            f"{backbone.name} is larger than one ONNX file can be (2 GB).", "Use `merge`."
        )
    proto = _export(model, backbone)
    images = proto.graph.input[0].type.tensor_type.shape
    if not images.dim[0].dim_param:
        raise CannotExport(
            f"{adapter.method.title} computes with a fixed number of images, so the file would"
            " answer for no other number."
        )
    metadata = {name: getattr(card, name) for name in CARD_FIELDS}
    metadata["resize"] = RESIZED
    for name, value in metadata.items():
        proto.metadata_props.add(key=name, value=json.dumps(value, ensure_ascii=False))
    return proto.SerializeToString(), merged


def _model(backbone: Backbone, adapter: Adapter) -> tuple[nn.Module, bool]:
    try:
        return merge(backbone, adapter).eval(), True
    except CannotMerge:
        return attach(backbone, dequantized(adapter)).eval(), False


def _export(model: nn.Module, backbone: Backbone) -> Any:
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
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    assert program is not None  # with dynamo
    return program.model_proto
