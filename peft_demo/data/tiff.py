"""In how many pieces a TIFF is stored, known before Pillow makes a list of them.

Every strip or tile has a place in the file's table, so a few megabytes may describe millions of
them, and reading them one by one takes minutes.
"""

import struct
from typing import IO

MAX_PIECES = 70_000
"""Strips or tiles: one for each row of the tallest picture that JPEG knows, too."""

_ORDERS = {b"II": "<", b"MM": ">"}
_PLACES = (273, 324)
"""Tags that list where strips or tiles lie."""
_TAGS = 1000
"""Entries of the table that are looked at."""


def count_pieces(file: IO[bytes]) -> int:
    """Strips or tiles of the first picture; 0 for what is no sound TIFF.

    The stream stands at its beginning before and after.
    """
    try:
        return _count(file)
    except (struct.error, OSError, ValueError, OverflowError):
        return 0
    finally:
        file.seek(0)


def _count(file: IO[bytes]) -> int:
    start = file.read(16)
    order = _ORDERS.get(start[:2])
    if order is None or not set(start[2:4]) & set(b"*+"):
        return 0
    big = b"+" in start[2:4]
    offset = 8 if big else 4
    (table,) = struct.unpack_from(order + ("Q" if big else "I"), start, offset)
    file.seek(table)
    entry = struct.Struct(order + ("HHQQ" if big else "HHII"))
    length = struct.Struct(order + ("Q" if big else "H"))
    (entries,) = length.unpack(file.read(length.size))
    content = file.read(min(entries, _TAGS) * entry.size)
    whole = len(content) // entry.size * entry.size
    counts = [count for tag, _, count, _ in entry.iter_unpack(content[:whole]) if tag in _PLACES]
    return max(counts, default=0)
