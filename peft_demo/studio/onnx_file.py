"""The ONNX file of an adapter, asked about the probe pictures before it is handed out."""

from importlib.util import find_spec
from typing import NamedTuple

from .. import interop
from ..contracts.errors import BadValue, CannotExport
from ..inference.probes import probes_of
from ..inference.verification import ROUNDING, verify
from .exports import Subject
from .verification.onnx import parsed


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
    content, merged = interop.to_onnx(
        subject.backbone, subject.adapter, subject.card, subject.probes
    )
    if find_spec("onnxruntime") is None:
        return OnnxFile(content, merged, ())
    return OnnxFile(content, merged, (compare(content, subject),))


def compare(content: bytes, subject: Subject) -> str:
    """How well the file answers as the adapter does here, in words; `CannotExport` where it does
    not."""
    here = probes_of(subject.attached.model, subject.backbone, subject.card)
    runner, _ = parsed(content, "the ONNX file")
    result = verify(runner, here, "the ONNX file", ROUNDING)
    if not result.agrees:
        raise CannotExport(
            "onnxruntime answers otherwise than the adapter: logits of two pictures differ by"
            f" {result.difference:.2g}.",
            " ".join(result.notes),
        )
    return f"onnxruntime answers two pictures as the adapter does, to {result.difference:.0e}."
