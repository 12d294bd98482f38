"""The header of a safetensors file, read and judged before a single tensor is."""

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from safetensors import SafetensorError, deserialize, safe_open

from ..contracts.errors import PeftDemoError


@dataclass(frozen=True)
class Header:
    """Shapes and dtypes ("F32", "F16", ...) of the tensors by name, and the str → str metadata."""

    tensors: dict[str, tuple[str, tuple[int, ...]]]
    metadata: dict[str, str]


def read_header(source: Path | bytes, limit: int, refuse: type[PeftDemoError]) -> Header:
    """The header of a file, at most `limit` bytes long; raises `refuse` with a sentence if it is not sound.

    safetensors checks that the tensors fill the file exactly and do not overlap; it accepts duplicate keys, so those
    are refused here.
    """
    name = "this file" if isinstance(source, bytes) else source.name
    try:
        plain = _plain(source, limit)
        _check_layout(source)
    except OSError as error:
        raise refuse(f"{name} cannot be read: {error.strerror or error}.") from None
    except (ValueError, SafetensorError, RecursionError):
        raise refuse(
            f"{name} is no sound safetensors file.", "It may be cut short or of another kind."
        ) from None
    metadata = plain.pop("__metadata__", {})
    return Header({key: (t["dtype"], tuple(t["shape"])) for key, t in plain.items()}, metadata)


def _plain(source: Path | bytes, limit: int) -> dict:
    with BytesIO(source) if isinstance(source, bytes) else source.open("rb") as f:
        size = int.from_bytes(f.read(8), "little")
        if not 2 <= size <= limit:
            raise ValueError("implausible header size")
        plain = json.loads(f.read(size), object_pairs_hook=_unique)
    if not isinstance(plain, dict):
        raise ValueError("not an object")
    return plain


def _check_layout(source: Path | bytes) -> None:
    if isinstance(source, bytes):
        deserialize(source)
        return
    with safe_open(source, "pt"):
        pass


def _unique(pairs):
    keys = [k for k, _ in pairs]
    if len(set(keys)) != len(keys):
        raise ValueError("duplicate keys")
    return dict(pairs)
