"""An adapter with its backbone as one ONNX file: `images` [batch 3 S S], normalised, to `logits` [batch C].

Merged where that works, so that the file holds a plain model; else with its deltas in place. `batch` is dynamic. The
metadata says what a program needs beside it, each as JSON: `classes`, `size`, `mean`, `std`, `resize`, and
where it came from: `name`, `method`, `backbone`, `fingerprint`. torch's exporter needs onnx and onnxscript.
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

SAID = ("classes", "size", "mean", "std", "name", "method", "backbone", "arch", "fingerprint")
"""What the metadata holds of the card, beside `resize`."""

FILE_LIMIT = 2_000_000_000
"""Bytes; what one ONNX file can hold."""


def to_onnx(backbone: Backbone, adapter: Adapter, card: AdapterCard) -> tuple[bytes, bool]:
    """The file, and whether it is merged. `CannotExport` where the packages are missing or the model is too large."""
    model, merged = _model(backbone, adapter)
    if sum(t.nbytes for t in model.state_dict().values()) > FILE_LIMIT:
        raise CannotExport(
            f"{card.backbone} is larger than one ONNX file can be (2 GB).", "Use `merge`."
        )
    proto = _exported(model, backbone)
    if not proto.graph.input[0].type.tensor_type.shape.dim[0].dim_param:
        raise CannotExport(
            f"{card.method} computes with a fixed number of images, so it would answer for no other."
        )
    for name, value in ({name: getattr(card, name) for name in SAID} | {"resize": RESIZED}).items():
        proto.metadata_props.add(key=name, value=json.dumps(value, ensure_ascii=False))
    return proto.SerializeToString(), merged


def _model(backbone: Backbone, adapter: Adapter) -> tuple[nn.Module, bool]:
    try:
        return merge(backbone, adapter).eval(), True
    except CannotMerge:
        return attach(backbone, dequantized(adapter)).eval(), False


def _exported(model: nn.Module, backbone: Backbone) -> Any:
    """The ModelProto of `model`."""
    images = torch.zeros(2, 3, backbone.size, backbone.size, device=backbone.device)
    try:
        import onnx  # noqa: F401
        import onnxscript  # noqa: F401
    except ImportError:
        hint = "Run `pip install onnx onnxscript`."
        raise CannotExport("writing ONNX needs the packages onnx and onnxscript.", hint) from None
    program = torch.onnx.export(
        model,
        (images,),
        dynamo=True,
        input_names=["images"],
        output_names=["logits"],
        dynamic_shapes=({0: torch.export.Dim("batch")},),
        verbose=False,
    )
    return program.model_proto
