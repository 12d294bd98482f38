"""ONNX: one file that holds backbone, adapter and head."""

from collections.abc import Sequence
from pathlib import Path

from ...storage.atomic import write_file
from ..onnx_file import onnx_file
from . import Export, Subject


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is one ONNX file afterwards. Raises `CannotExport`."""
    card = subject.card
    made = onnx_file(subject)
    write_file(out, made.content)
    form = "the adapter is folded into the weights"
    if not made.merged:
        form = f"{card.method} does not fold away and stands in it"
    window = f"; before that, {card.picture_window.words}" if card.picture_window.words else ""
    takes = f"{form}; it takes RGB pictures of any size as uint8 [batch height width 3]{window}."
    return takes, *made.checked


ONNX = Export("onnx", write)
