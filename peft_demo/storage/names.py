"""Names that are safe as file names on every system."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 48
"""Characters."""


_DEVICES = re.compile(r"con|prn|aux|nul|(com|lpt)[0-9]")
"""Names that Windows keeps for devices, with any suffix."""


def slug(text: str, fallback: str = "adapter") -> str:
    """`text` as a file name anywhere: [a-z0-9-], 1 to 48 characters."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = re.sub(r"[^a-z0-9]+", "-", ascii_only)[:LONGEST].strip("-") or fallback
    return f"{name}-{fallback}" if _DEVICES.fullmatch(name) else name


def free_name(name: str, taken: Iterable[str]) -> str:
    """`name`, or the first of name-2, name-3, ... that is not taken (at most 48 characters)."""
    taken = {other.lower() for other in taken}
    candidate = name
    number = 1
    while candidate in taken:
        number += 1
        suffix = f"-{number}"
        candidate = name[: LONGEST - len(suffix)].rstrip("-") + suffix
    return candidate
