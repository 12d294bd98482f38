"""Names that are safe as file names on every system."""

import re
import unicodedata
from collections.abc import Iterable

LONGEST = 48
"""Characters."""


def slug(text: str, fallback: str = "adapter") -> str:
    """`text` as a file name anywhere: [a-z0-9-], 1 to 48 characters."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only)[:LONGEST].strip("-") or fallback


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
