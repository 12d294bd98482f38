"""The header of an adapter file, which has its card: read and judged without a tensor, and so
without torch. `adapters.file` goes on from there.
"""

from pathlib import Path
from typing import BinaryIO

from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import BadAdapter
from .header import Header, open_binary, parse_header

HEADER_LIMIT = 1_000_000
"""Bytes; the card of a 100-class, 16-shot adapter takes about 70 kB."""

FILE_LIMIT = 4_000_000_000
"""Bytes; full fine-tuning of a ViT-H takes 2.5 GB."""


def read_card(path: Path) -> AdapterCard:
    """The card of the file at `path`, without reading a tensor; `BadAdapter` says why not."""
    with open_binary(path, BadAdapter) as stream:
        return judge(stream, path.name)[1]


def judge(stream: BinaryIO, name: str) -> tuple[Header, AdapterCard]:
    """Header and card of an open file that the sentences call `name`; nothing after it is read.

    `BadAdapter` says why not.
    """
    header = parse_header(stream, name, HEADER_LIMIT, BadAdapter)
    if header.file_bytes > FILE_LIMIT:
        raise BadAdapter(f"{name} is larger than any adapter ({FILE_LIMIT / 1e9:.0f} GB).")
    return header, _card(header, name)


def _card(header: Header, name: str) -> AdapterCard:
    if "peft_demo" not in header.metadata:
        if _is_peft(header):
            raise BadAdapter(
                f"{name} is a LoRA of huggingface/peft without its adapter_config.json.",
                "Add both files together, or a zip of their folder.",
            )
        raise BadAdapter(f"{name} holds no adapter card, so it was not made by PEFT Demo.")
    return AdapterCard.parse(header.metadata["peft_demo"])


def _is_peft(header: Header) -> bool:
    return any(name.startswith("base_model.model.") for name in header.tensors)
