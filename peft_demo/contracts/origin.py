"""The adapter that a run goes on from, as a frozen value that is JSON both ways."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from .errors import BadValue
from .text import is_visible, last_part, quoted

SHOWN_DIGITS = 16
"""Hexadecimal digits of a SHA-256 in a command: enough to tell two files apart."""


@dataclass(frozen=True)
class Origin:
    """Names an adapter file and says which content it must have."""

    adapter: str
    """An id of the zoo, or a path on this machine."""
    sha256: str = ""
    """The first hexadecimal digits, or all 64, of the file's SHA-256; "" takes any content."""

    def __post_init__(self):
        words = isinstance(self.adapter, str) and isinstance(self.sha256, str)
        if not words or not self.adapter or not is_visible(self.adapter):
            raise BadValue("this description of an adapter to go on from is ill-formed.")
        if not re.fullmatch(r"[0-9a-f]{8,64}|", self.sha256):
            raise BadValue(
                f"a SHA-256 is written in 8 to 64 hexadecimal digits, got {quoted(self.sha256)}."
            )

    @property
    def name(self) -> str:
        """What to call it where nobody may see a path."""
        return last_part(self.adapter).removesuffix(".safetensors")

    def public(self) -> "Origin":
        """This origin without the folder of its file."""
        return replace(self, adapter=last_part(self.adapter))

    def to_json(self) -> dict[str, Any]:
        return asdict(self)

    @staticmethod
    def from_json(values: Any) -> "Origin | None":
        """The origin again, None for None. Raises `BadValue` or `TypeError` for anything odd."""
        if values is None:
            return None
        if not isinstance(values, Mapping):
            raise BadValue("this description of an adapter to go on from is ill-formed.")
        return Origin(**values)

    def flags(self) -> list[str]:
        """How the command line names it; nothing private is in it."""
        flags = ["--from", last_part(self.adapter)]
        if self.sha256:
            flags += ["--from-sha256", self.sha256[:SHOWN_DIGITS]]
        return flags
