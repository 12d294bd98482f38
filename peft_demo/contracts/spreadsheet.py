"""Tables for spreadsheets, as CSV, whatever the words in them are."""

import csv
import re
from collections.abc import Iterable, Sequence
from io import StringIO

FORMULAS = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula."""
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """A line for each row. Words stay words of one line; numbers stay numbers, None is empty."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for row in rows:
        writer.writerow([_as_text(cell) if isinstance(cell, str) else cell for cell in row])
    return _printable(text.getvalue())


def _as_text(cell: str) -> str:
    """A cell that stays one line of text: control characters become escapes, and a spreadsheet
    takes no name, such as "=1+1.png", for a formula to run.
    """
    line = _CONTROL.sub(lambda found: repr(found[0])[1:-1], cell)
    return f"'{line}" if line.lstrip().startswith(FORMULAS) else line


def _printable(text: str) -> str:
    """File names may hold bytes that are no text: these become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
