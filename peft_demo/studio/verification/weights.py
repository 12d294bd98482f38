"""Merged weights: timm's names in one safetensors file, asked in timm's model of their
architecture."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import timm
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as to_bytes
from torch import nn

from ... import adapters
from ...contracts import checks
from ...contracts.adapter_card import AdapterCard
from ...contracts.checks import Unexpected
from ...contracts.errors import BadAdapter
from ...contracts.probes import KEY, Probes, nothing_kept
from ...inference.runner import ModelRunner
from ...interop.plain_model import empty_timm_model
from ...storage.header import open_binary, parse_header, read_header, read_whole
from ...storage.paths import is_file

SUFFIX = ".safetensors"
HEADER_LIMIT = 20_000_000
"""Bytes."""
CARD_FIELDS = ("classes", "size", "mean", "std", "window", "ground")
"""What the metadata holds of the card, as JSON, beside `architecture` and `model_args`."""


def merged_file(
    model: nn.Module, card: AdapterCard, arguments: Mapping[str, Any], probes: Probes
) -> bytes:
    """A plain model's weights under timm's names, with what is needed to ask it.

    `arguments` are those that timm's model was created with.
    """
    metadata = {
        "format": "pt",
        "architecture": card.arch,
        "model_args": json.dumps(dict(arguments)),
        KEY: probes.to_text(),
    }
    for name in CARD_FIELDS:
        metadata[name] = json.dumps(getattr(card, name), ensure_ascii=False)
    return to_bytes(adapters.tensors_of(model), metadata)


def are_merged(path: Path) -> bool:
    """Whether there is a safetensors file that says its architecture, as no adapter does."""
    if path.suffix != SUFFIX or not is_file(path):
        return False
    try:
        metadata = read_header(path, HEADER_LIMIT, BadAdapter).metadata
    except BadAdapter:
        return False
    return "architecture" in metadata and "peft_demo" not in metadata


def opened(path: Path) -> tuple[ModelRunner, Probes]:
    """The model with the weights at `path`, and what they keep."""
    with open_binary(path, BadAdapter) as stream:
        header = parse_header(stream, path.name, HEADER_LIMIT, BadAdapter)
        content = read_whole(stream, header, path.name, BadAdapter)
    words = header.metadata
    if KEY not in words:
        raise nothing_kept(path.name)
    kept = Probes.parse(words[KEY], f"the probe of {path.name}")
    size = _read(words, "size", checks.whole(1, 4096), path.name)
    arguments = _read(words, "model_args", checks.settings, path.name)
    model = empty_timm_model(words["architecture"], arguments, size, len(kept.classes))
    try:
        model.load_state_dict(parse_tensors(content))
    except (SafetensorError, RuntimeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadAdapter(f"the weights in {path.name} do not fit: {reason}") from None
    mean = _read(words, "mean", checks.numbers(3, -1e6, 1e6), path.name)
    std = _read(words, "std", checks.numbers(3, 1e-6, 1e6), path.name)
    classes = _read(words, "classes", checks.names(500), path.name)
    by = f"timm {timm.__version__}"
    return ModelRunner(by, classes, size, (mean, std), model.eval()), kept


def _read(words: Mapping[str, str], name: str, check: checks.Check, file: str) -> Any:
    try:
        return check(json.loads(words.get(name, "")))
    except (ValueError, RecursionError) as error:
        expected = f" ({error})" if isinstance(error, Unexpected) else ""
        raise BadAdapter(f"{file} has no sound {name}{expected}.", "Merge it again.") from None
