"""The ONNX file of an adapter, asked about two pictures before it is handed out."""

from typing import NamedTuple

import numpy as np
import torch
from PIL import Image

from .. import interop
from ..contracts.errors import BadValue, CannotExport
from ..data import to_tensor
from ..inference import Attached
from .exports import Subject

SIZES = ((97, 61), (300, 420))
"""(width, height) of the pictures: neither is square, one is enlarged and one shrunk."""
CLOSE = 1e-3
"""What probabilities may differ by; one level of brightness moves them by less."""


class OnnxFile(NamedTuple):
    content: bytes
    merged: bool
    """Whether the adapter is folded into the weights."""
    checked: tuple[str, ...]
    """How well it answers as the adapter does, in a sentence; nothing without onnxruntime."""


def onnx_file(subject: Subject) -> OnnxFile:
    """Raises `CannotExport`, also for a file that would answer otherwise than the adapter."""
    if subject.rank:
        raise BadValue("ONNX holds every adapter as it is.", "Leave out --rank.")
    content, merged = interop.to_onnx(subject.backbone, subject.adapter, subject.card)
    said = compare(content, subject.attached)
    return OnnxFile(content, merged, (said,) if said else ())


def compare(content: bytes, attached: Attached) -> str:
    """How well the file answers as `attached` does, in words; "" where onnxruntime is not here.

    `CannotExport` where it does not.
    """
    try:
        import onnxruntime
    except ImportError:
        return ""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    largest = 0.0
    for picture in map(_drawn, SIZES):
        (theirs,) = session.run(["probabilities"], {"images": np.asarray(picture)[None]})
        square = to_tensor(picture, attached.backbone.size)[None]
        ours = attached.answer(square).probabilities
        largest = max(largest, (torch.as_tensor(np.asarray(theirs)) - ours).abs().max().item())
    if not largest <= CLOSE:
        raise CannotExport(
            "onnxruntime answers otherwise than the adapter: probabilities differ by"
            f" {largest:.2g}."
        )
    return f"onnxruntime answers two pictures as the adapter does, to {largest:.0e}."


def _drawn(size: tuple[int, int]) -> Image.Image:
    """A picture of rings and slopes in all colours, the same each time."""
    x, y = np.meshgrid(np.linspace(-1, 1, size[0]), np.linspace(-1, 1, size[1]))
    rings = np.sin(12 * np.hypot(x, y))
    channels = np.stack([rings, x + 0.3 * rings, y * x], axis=-1)
    return Image.fromarray((127.5 + 127.5 * np.clip(channels, -1, 1)).astype(np.uint8))
