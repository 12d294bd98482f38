"""Who takes part: a method at its default, or a form of it that the word names, `aoft_lora:scale=true`."""

from dataclasses import dataclass
from typing import Any

from ..contracts.errors import BadValue
from ..contracts.knobs import parse_settings
from ..methods import Method, find_method, methods


@dataclass(frozen=True)
class Contender:
    """A method with its knobs; `word` names it in tables and result files."""

    word: str
    method: Method
    config: Any


def contenders(words: str) -> list[Contender]:
    """Those that a comma-separated list names; "all": every method, and after it the variants of its record.

    A word may carry knobs, `lora:rank=4:targets=q+k`. Raises `UnknownName` and `BadValue` as the command line's --set.
    """
    named = dict.fromkeys(w.strip() for w in words.split(",") if w.strip())
    if not named:
        raise BadValue("no method is named.", "Try --methods all, or --methods linear,lora.")
    return [
        _entrant(w)
        for w in (dict.fromkeys([*_every(), *named]) if "all" in named else named)
        if w != "all"
    ]


def _every() -> list[str]:
    return [
        word
        for m in methods().values()
        for word in (m.name, *(f"{m.name}:{v}" for v in m.variants))
    ]


def _entrant(word: str) -> Contender:
    name, *settings = word.split(":")
    kind = find_method(name)
    return Contender(word, kind, kind.config(parse_settings(s.replace("+", ",") for s in settings)))
