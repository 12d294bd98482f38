"""What commands print: an answer on standard output, a complaint on standard error."""

import json
import sys
from collections.abc import Iterable, Sequence
from io import TextIOWrapper

BAD_INPUT = 2
"""The exit code after a sentence about bad input."""
INTERRUPTED = 130
"""The exit code after Ctrl-C: 128 and the number of the signal, as shells expect it."""


def escape_what_cannot_be_printed() -> None:
    """Afterwards no character ends a command with an error.

    A file, a pipe or a terminal may be in an encoding that lacks some of them (cp1252 on Windows),
    and file names may hold bytes that are no text. These are printed as escapes: ✓ as \\u2713.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def print_answer(value: object, lines: Iterable[str], as_json: bool) -> None:
    """Prints a command's answer: `value` as one line of JSON, or the lines.

    It is written out at once, so that Click sees a reader that has gone (`zoo | head -1`).
    """
    print(json.dumps(value) if as_json else "\n".join(lines), flush=True)


def complain(sentence: str) -> int:
    """Prints a sentence about bad input on one line of standard error; the exit code for it."""
    print(" ".join(sentence.split()), file=sys.stderr)
    return BAD_INPUT


def table(rows: Iterable[Sequence[object]]) -> list[str]:
    """Rows of cells as lines of left-aligned columns."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(len(cell) for cell in column) for column in zip(*texts, strict=True)]
    return [_aligned(row, widths) for row in texts]


def _aligned(row: Sequence[str], widths: Sequence[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    return "  ".join(cells).rstrip()
