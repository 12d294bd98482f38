"""ONNX: one file that holds backbone, adapter and head."""

from collections.abc import Sequence
from pathlib import Path

from ... import interop
from ...contracts.errors import BadValue
from ...storage.atomic import write_file
from . import Export, Subject


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is one ONNX file afterwards. Raises `CannotExport`."""
    card = subject.card
    if subject.rank:
        raise BadValue("ONNX holds every adapter as it is.", "Leave out --rank.")
    content, merged = interop.to_onnx(subject.backbone, subject.adapter, card)
    write_file(out, content)
    form = "the adapter is folded into the weights"
    if not merged:
        form = f"{card.method} does not fold away and stands in it"
    window = f"; before that, {card.picture_window.words}" if card.picture_window.words else ""
    return (f"{form}; it takes RGB pictures of any size as uint8 [batch height width 3]{window}.",)


ONNX = Export("onnx", write)
