"""Methods to compare, each with optional knobs: `lora`, or `aoft_lora:scale=true`."""

from dataclasses import dataclass
from typing import Any

from ...contracts.errors import BadValue
from ...contracts.knobs import parse_settings
from ...methods import Method, find_method, methods

ALL = "all"


@dataclass(frozen=True)
class Contender:
    """A method with its knobs; `word` names it in tables and result files."""

    word: str
    method: Method
    config: Any

    @property
    def named(self) -> dict[str, Any]:
        """The knobs that its word names, with their values."""
        return {name: getattr(self.config, name) for name in _settings(self.word)}


def contenders(words: str) -> list[Contender]:
    """Those that a comma-separated list names; "all" is every method and the variants of each.

    A word may carry knobs, `lora:rank=4:targets=q+k`. Raises `UnknownName` and `BadValue`, as the
    command line's `--set` does.
    """
    named = dict.fromkeys(word.strip() for word in words.split(",") if word.strip())
    if not named:
        raise BadValue("no method is named.", "Try --methods all, or --methods linear,lora.")
    if ALL in named:
        del named[ALL]
        named = dict.fromkeys([*_every_word(), *named])
    return [contender(word) for word in named]


def contender(word: str) -> Contender:
    """The one that a word names."""
    method = find_method(word.partition(":")[0])
    return Contender(word, method, method.config(_settings(word)))


def _settings(word: str) -> dict[str, str]:
    """ "lora:targets=q+k" → {"targets": "q,k"}"""
    _, *settings = word.split(":")
    return parse_settings(setting.replace("+", ",") for setting in settings)


def _every_word() -> list[str]:
    words = []
    for method in methods().values():
        words.append(method.name)
        words += [f"{method.name}:{variant}" for variant in method.variants]
    return words
