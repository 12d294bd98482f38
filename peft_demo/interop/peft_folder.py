"""A folder as huggingface/peft writes it: the names of its files, and which configs are read.

Read is a plain LoRA. Whatever else the config switches on is refused by name.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from torch import Tensor

from ..contracts.errors import BadAdapter
from ..contracts.text import quoted
from ..storage.header import Header, open_binary, parse_header, read_whole
from ..storage.paths import is_file, is_folder

CONFIG = "adapter_config.json"
TENSORS = "adapter_model.safetensors"
NOTE = "peft_demo.json"
"""Ours: what a LoRA does not say of itself."""

PREFIX = "base_model.model."
"""Before timm's name of a module, in the names of tensors."""

JSON_LIMIT = 1_000_000
HEADER_LIMIT = 4_000_000
FILE_LIMIT = 1_000_000_000
"""Bytes."""

NUMBER_LIMIT = 1e9
"""The largest rank or alpha."""

PLAIN = {"megatron_core": "megatron.core", "qalora_group_size": 16, "bias": "none"}
"""Keys of the config that must have this value, or none at all."""

READ = {
    "peft_type",
    "r",
    "lora_alpha",
    "rank_pattern",
    "alpha_pattern",
    "use_rslora",
    "lora_dropout",
    "base_model_name_or_path",
    "modules_to_save",
    "init_lora_weights",
}
HARMLESS = {
    "auto_mapping",
    "inference_mode",
    "peft_version",
    "revision",
    "task_type",
    "eva_config",
    "runtime_config",
    "target_modules",
    "exclude_modules",
    "layers_pattern",
    "layers_to_transform",
}
"""Keys whose work is done once the tensors have their names. Any other key that is set is
refused."""

STARTS = (None, True, False, "gaussian", "eva", "orthogonal")
"""Values of `init_lora_weights` that leave the backbone as it was."""


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
    """The folder at `path`, or around the file `path`; `BadAdapter` unless it is a plain LoRA."""
    folder = (path if is_folder(path) else path.parent).absolute()
    for name in (CONFIG, TENSORS):
        if not is_file(folder / name):
            raise BadAdapter(f"{folder.name} is not an adapter of peft: it has no {name}.")
    config = _read_json(folder / CONFIG)
    _check_config(config)
    note = _read_json(folder / NOTE) if is_file(folder / NOTE) else {}
    header, content = _read_tensors(folder / TENSORS)
    return PeftFolder(folder.name, config, note, header, content)


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


def _check_config(config: Mapping[str, Any]) -> None:
    """`BadAdapter` names what makes this config more than a plain LoRA."""
    if config.get("peft_type") != "LORA":
        peft_type = quoted(config.get("peft_type"))
        raise BadAdapter(f"only LORA adapters of peft are read here, and this one is {peft_type}.")
    for key, value in config.items():
        if value and key not in READ | HARMLESS and PLAIN.get(key) != value:
            raise BadAdapter(
                f"this LoRA sets {quoted(key)} to {quoted(value)}, which is not read here."
            )
    start = config.get("init_lora_weights")
    if start not in STARTS:
        raise BadAdapter(
            f"this LoRA was started with {quoted(start)}, which changes the backbone itself."
        )
    for key in ("rank_pattern", "alpha_pattern"):
        _check_pattern(key, config.get(key) or {})
    _check_numbers("r", [config.get("r", 8)])
    _check_numbers("lora_alpha", [config.get("lora_alpha", 8)])


def _check_pattern(key: str, pattern: Any) -> None:
    """peft reads the names in a pattern as regular expressions; only plain ones are taken."""
    if not isinstance(pattern, dict) or not all(re.fullmatch(r"[\w.]+", name) for name in pattern):
        raise BadAdapter(
            f"the {key} in {CONFIG} is {quoted(pattern)}; expected numbers by names of modules."
        )
    _check_numbers(key, pattern.values())


def _check_numbers(key: str, values: Iterable[Any]) -> None:
    for value in values:
        if type(value) not in (int, float) or not abs(value) <= NUMBER_LIMIT:
            raise BadAdapter(
                f"{key} in {CONFIG} contains {quoted(value)}; expected a number up to 1e9."
            )
