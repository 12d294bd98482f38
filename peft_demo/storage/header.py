"""The header of a safetensors file, read once and judged before a single tensor is.

safetensors has no call that judges a header alone, and it accepts duplicate keys, so the rules of
the format stand here: <https://huggingface.co/docs/safetensors>. A file is the header's length
(8 bytes, little-endian), the header (JSON), and the tensors one after another, without a gap or an
overlap.
"""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

from ..contracts.errors import PeftDemoError
from .paths import is_file, is_there

BITS = {
    "BOOL": 8, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64,
    "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6, "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8, "F8_E5M2FNUZ": 8, "F16": 16, "BF16": 16, "F32": 32, "F64": 64, "C64": 64,
}  # fmt: skip
"""Dtype → bits of one element."""

DIMENSIONS = 64
"""The most a tensor of torch has."""


@dataclass(frozen=True)
class Header:
    """Shapes and dtypes ("F32", "F16", ...) of the tensors by name, and the str → str metadata."""

    tensors: dict[str, tuple[str, tuple[int, ...]]]
    metadata: dict[str, str]
    raw: bytes = field(repr=False, default=b"")
    """The file up to its first tensor."""
    file_bytes: int = 0
    """Length of the whole file."""


def read_header(file: Path, limit: int, refuse: type[PeftDemoError]) -> Header:
    """The header of `file`, at most `limit` bytes long; raises `refuse` if it is not sound."""
    with open_binary(file, refuse) as stream:
        return parse_header(stream, file.name, limit, refuse)


@contextmanager
def open_binary(file: Path, refuse: type[PeftDemoError]) -> Iterator[BinaryIO]:
    """The file, open to be read; what the system refuses meanwhile is raised as `refuse`.

    A pipe or a device is refused too: it would keep us waiting, or never end.
    """
    if not is_file(file):
        what = "it is not a file" if is_there(file) else "there is no such file"
        raise refuse(f"{file.name} cannot be read: {what}.")
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise refuse(f"{file.name} cannot be read: {error.strerror or error}.") from None


def parse_header(stream: BinaryIO, name: str, limit: int, refuse: type[PeftDemoError]) -> Header:
    """As `read_header`, of an open file that sentences call `name`; reads nothing after it."""
    try:
        return _parsed(stream, limit)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise refuse(
            f"{name} is no sound safetensors file.", "It may be cut short or of another kind."
        ) from None


def read_whole(stream: BinaryIO, header: Header, name: str, refuse: type[PeftDemoError]) -> bytes:
    """All bytes of the open file whose header was judged; raises `refuse` if it has changed."""
    stream.seek(0)
    content = stream.read(header.file_bytes + 1)
    if len(content) != header.file_bytes or not content.startswith(header.raw):
        raise refuse(f"{name} was changed while it was read.", "Try again.")
    return content


def _parsed(stream: BinaryIO, limit: int) -> Header:
    file_bytes = stream.seek(0, os.SEEK_END)
    stream.seek(0)
    length = stream.read(8)
    size = int.from_bytes(length, "little")
    if not 2 <= size <= limit:
        raise ValueError("implausible header size")
    text = stream.read(size)
    entries = json.loads(text.decode("utf-8"), object_pairs_hook=_without_duplicates)
    if not isinstance(entries, dict):
        raise ValueError("not an object")
    metadata = entries.pop("__metadata__", {})
    _check_metadata(metadata)
    _check_layout(list(entries.values()), file_bytes - 8 - size)
    tensors = {name: (entry["dtype"], tuple(entry["shape"])) for name, entry in entries.items()}
    return Header(tensors, metadata, length + text, file_bytes)


def _check_metadata(metadata: Any) -> None:
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ValueError("metadata that is not text by name")


def _check_layout(entries: list[dict], data_bytes: int) -> None:
    """`ValueError` unless the tensors follow one another and fill the data to the byte."""
    end = 0
    for entry in sorted(entries, key=lambda entry: _whole_numbers(entry["data_offsets"])):
        start, stop = entry["data_offsets"]
        bits = BITS[entry["dtype"]] * _elements(entry["shape"])
        if start != end or 8 * (stop - start) != bits:
            raise ValueError("tensors that leave a gap, overlap or are of another length")
        end = stop
    if end != data_bytes:
        raise ValueError("tensors that do not fill the file")


def _elements(shape: Any) -> int:
    if len(_whole_numbers(shape)) > DIMENSIONS:
        raise ValueError("more dimensions than a tensor can have")
    return prod(shape)


def _whole_numbers(values: Any) -> list[int]:
    if not isinstance(values, list) or any(type(v) is not int or v < 0 for v in values):
        raise ValueError("a list of whole numbers was expected")
    return values


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError("duplicate keys")
    return entries
