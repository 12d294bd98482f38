"""What an `adapter_config.json` of huggingface/peft says: whether it is read, ranks and scales.

Read are LoRAs, with rsLoRA, DoRA and biases. Whatever else the config switches on is refused by
name.
"""

import re
from collections.abc import Iterable, Mapping
from math import sqrt
from typing import Any, TypeVar

from ..contracts.errors import BadAdapter
from ..contracts.text import quoted

CONFIG = "adapter_config.json"

NUMBER_LIMIT = 1e9
"""The largest rank or alpha."""

BIASES = ("none", "lora_only", "all")
"""Which biases of the backbone were trained too."""

PLAIN = {"megatron_core": "megatron.core", "qalora_group_size": 16}
"""Keys of the config that must have this value, or none at all."""

READ = {
    "peft_type",
    "r",
    "lora_alpha",
    "rank_pattern",
    "alpha_pattern",
    "use_rslora",
    "use_dora",
    "lora_dropout",
    "bias",
    "lora_bias",
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

PATTERNS = 100
"""Names in a pattern, at most."""
_CHARACTERS = re.compile(r"[\w.\\^$|()\[\]*+?-]{1,200}")
_REPEATED_GROUP = re.compile(r"[)*+?][*+?]")
_MOST = {"*": 2, "+": 2, "?": 1, "(": 1, "|": 20}
"""Of a character in a regular expression, at most: with more of them a match can take for ever."""

Config = Mapping[str, Any]

Value = TypeVar("Value")


def check_config(config: Config) -> None:
    """`BadAdapter` names what makes this config more than a LoRA that is read here."""
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
    if biases(config) not in BIASES:
        raise BadAdapter(
            f"this LoRA sets bias to {quoted(config['bias'])}; expected {', '.join(BIASES)}."
        )
    if config.get("use_dora") and (biases(config) != "none" or config.get("lora_bias")):
        raise BadAdapter("this DoRA trains biases too, which has no place in a `dora` here.")
    for key in ("rank_pattern", "alpha_pattern"):
        _check_pattern(key, config.get(key) or {})
    _check_numbers("r", [config.get("r", 8)])
    _check_numbers("lora_alpha", [config.get("lora_alpha", 8)])


def biases(config: Config) -> Any:
    """One of `BIASES`, once the config is checked."""
    return config.get("bias") or "none"


def method_of(config: Config) -> str:
    """The method of ours that it becomes."""
    return "dora" if config.get("use_dora") else "lora"


def made_on(config: Config) -> str:
    """The class of the model that it was made on, "" where it is not said."""
    mapping = config.get("auto_mapping")
    name = mapping.get("base_model_class") if isinstance(mapping, dict) else None
    return name if isinstance(name, str) else ""


def rank_at(config: Config, path: str) -> int:
    """R of the module at `path`."""
    return _of_pattern(config.get("rank_pattern") or {}, path, config.get("r", 8))


def scale_at(config: Config, path: str, rank: int) -> float:
    """s of the module at `path`: α/R, or α/√R of an rsLoRA."""
    alpha = _of_pattern(config.get("alpha_pattern") or {}, path, config.get("lora_alpha", 8))
    return alpha / (sqrt(rank) if config.get("use_rslora") else rank)


def _of_pattern(pattern: Mapping[str, Value], path: str, default: Value) -> Value:
    """The value of the first regular expression that is `path`, or its end after a dot, as peft
    matches them."""
    for name, value in pattern.items():
        if re.match(rf"(.*\.)?({name})$", path):
            return value
    return default


def _check_pattern(key: str, pattern: Any) -> None:
    """`BadAdapter` unless all names are regular expressions that are quick to match."""
    readable = isinstance(pattern, dict) and len(pattern) <= PATTERNS
    if not readable or not all(map(_is_quick, pattern)):
        raise BadAdapter(
            f"the {key} in {CONFIG} is {quoted(pattern)}; expected numbers by names of modules, or"
            " by simple regular expressions."
        )
    _check_numbers(key, pattern.values())


def _is_quick(name: str) -> bool:
    """Whether `name` is a regular expression that is quick to match, whatever it is matched
    with."""
    if not _CHARACTERS.fullmatch(name) or _REPEATED_GROUP.search(name):
        return False
    if any(name.count(character) > most for character, most in _MOST.items()):
        return False
    try:
        re.compile(name)
    except re.error:
        return False
    return True


def _check_numbers(key: str, values: Iterable[Any]) -> None:
    for value in values:
        if type(value) not in (int, float) or not abs(value) <= NUMBER_LIMIT:
            raise BadAdapter(
                f"{key} in {CONFIG} contains {quoted(value)}; expected a number up to 1e9."
            )
