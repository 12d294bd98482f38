"""Names of classes as a person types them, or from a file where they hold commas."""

import json
from pathlib import Path

from ..contracts.errors import BadValue
from ..storage.header import open_binary

LIMIT = 10_000_000
"""Bytes of a file of names."""


def class_names(typed: str, file: Path | None) -> tuple[str, ...]:
    """The names in their order, () where there are none; `BadValue` for both at once."""
    if file is None:
        return tuple(map(tidied, typed.split(","))) if typed else ()
    if typed:
        raise BadValue("the classes are named twice.", "Give --classes or --classes-file.")
    names = tuple(filter(None, map(tidied, _listed(file))))
    if not names:
        raise BadValue(f"{file.name} names no class.", "Write one name a line.")
    return names


def tidied(name: str) -> str:
    """ " tea  pot" → "tea pot\""""
    return " ".join(name.split())


def _listed(file: Path) -> list[str]:
    """The strings of a JSON list, or the lines."""
    with open_binary(file, BadValue) as stream:
        content = stream.read(LIMIT + 1)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadValue(f"{file.name} is no text in UTF-8.", "Save it as UTF-8.") from None
    if len(content) > LIMIT:
        raise BadValue(f"{file.name} is larger than {LIMIT / 1e6:.0f} MB.")
    if not text.lstrip().startswith("["):
        return text.splitlines()
    try:
        names = json.loads(text)
    except (ValueError, RecursionError):
        names = None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise BadValue(
            f"{file.name} begins as a JSON list but is no list of names.",
            'Write ["cup, white", "tea pot"], or one name a line.',
        )
    return names
