"""A folder as huggingface/peft writes it: the names of its files, and how they are read.

Old versions of peft wrote the tensors as a pickle, which could run anything. It is never loaded.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from torch import Tensor

from ..contracts.errors import BadAdapter
from ..storage.header import Header, open_binary, parse_header, read_whole
from ..storage.paths import is_file, is_folder
from .peft_config import CONFIG, check_config

TENSORS = "adapter_model.safetensors"
PICKLED = "adapter_model.bin"
"""The same of old versions of peft, a pickle."""
NOTE = "peft_demo.json"
"""Ours: what a LoRA does not say of itself."""

PREFIX = "base_model.model."
"""Before a module's path in the plain model, in the names of tensors."""

OLD_PICKLE = bytes.fromhex("80028a0a6cfc9c46f9206aa85019")
"""How a file of torch.save before 1.6 begins."""

JSON_LIMIT = 1_000_000
HEADER_LIMIT = 4_000_000
FILE_LIMIT = 1_000_000_000
"""Bytes."""


@dataclass(frozen=True)
class PeftFolder:
    """A LoRA of peft whose config and header have been judged; its tensors have not."""

    name: str
    """Of the folder."""
    config: Mapping[str, Any]
    note: Mapping[str, Any]
    """What `peft_demo.json` says, {} without it."""
    header: Header
    content: bytes = field(repr=False)

    def tensors(self) -> dict[str, Tensor]:
        """By peft's names, on the CPU; `BadAdapter` if they cannot be read."""
        try:
            return parse_tensors(self.content)
        except SafetensorError:
            raise BadAdapter(f"the tensors of {self.name} cannot be read.") from None


def read_folder(path: Path) -> PeftFolder:
    """The folder at `path`, or around the file `path`; `BadAdapter` unless it is a LoRA."""
    folder = (path if is_folder(path) else path.parent).absolute()
    if is_file(folder / PICKLED) and not is_file(folder / TENSORS):
        raise pickled(PICKLED)
    for name in (CONFIG, TENSORS):
        if not is_file(folder / name):
            raise BadAdapter(f"{folder.name} is not an adapter of peft: it has no {name}.")
    config = _read_json(folder / CONFIG)
    check_config(config)
    note = _read_json(folder / NOTE) if is_file(folder / NOTE) else {}
    header, content = _read_tensors(folder / TENSORS)
    return PeftFolder(folder.name, config, note, header, content)


def pickled(name: str) -> BadAdapter:
    """Says of a pickle what to do."""
    return BadAdapter(
        f"{name} is a pickle of torch.save, as old versions of peft wrote it. Loading one can run"
        " any program, so it is never loaded here.",
        "If you trust where it comes from, load it with peft and write it again: "
        "`model.save_pretrained(FOLDER, safe_serialization=True)` makes "
        f"{TENSORS} of it.",
    )


def is_pickle(file: Path) -> bool:
    """Whether `file` begins as torch.save does: a zip, or the number of its older format."""
    with open_binary(file, BadAdapter) as stream:
        return stream.read(14).startswith((b"PK\x03\x04", OLD_PICKLE))


def _read_tensors(file: Path) -> tuple[Header, bytes]:
    with open_binary(file, BadAdapter) as stream:
        header = parse_header(stream, file.name, HEADER_LIMIT, BadAdapter)
        if header.file_bytes > FILE_LIMIT:
            raise BadAdapter(f"{file.name} is larger than any LoRA ({FILE_LIMIT / 1e9:.0f} GB).")
        return header, read_whole(stream, header, file.name, BadAdapter)


def _read_json(file: Path) -> dict[str, Any]:
    with open_binary(file, BadAdapter) as stream:
        content = stream.read(JSON_LIMIT + 1)
    try:
        values = json.loads(content) if len(content) <= JSON_LIMIT else None
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise BadAdapter(f"{file.name} is not a JSON object of at most {JSON_LIMIT:,} bytes.")
    return values
