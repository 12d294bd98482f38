"""How the page writes things: numbers with their units, and people's words as text, never as
markup.
"""

import re
from collections.abc import Iterable

from ..contracts.text import duration, rough_percent
from ..contracts.text import percent as percent

seconds = duration
share = rough_percent
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_FILE_NAME = re.compile(r"\S+\.\w")
_MARKUP = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})


def plain(words: object) -> str:
    """Words from a person, a file or an error, so that Markdown shows every letter: no tag, link,
    image.
    """
    escaped = _PUNCTUATION.sub(r"\\\1", " ".join(str(words).split()))
    return re.sub(r"\\([&<>])", lambda m: m[1].translate(_MARKUP), escaped)


def count(n: float) -> str:
    """1234567 → 1 234 567, with narrow spaces where no line breaks."""
    return f"{n:,.0f}".replace(",", "\u202f")


def short(n: float) -> str:
    """2 900 000 → 2.9 M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if n >= size:
            return f"{n / size:.3g} {unit}"
    return f"{n:.0f}"


def size(octets: float) -> str:
    """151000 → 151 kB."""
    return f"{short(octets)}B" if octets >= 1000 else f"{octets:.0f} B"


def milliseconds(ms: float) -> str:
    """0.0213 → 0.02 ms; 31.4 → 31 ms."""
    return f"{ms:.2f} ms" if ms < 1 else f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms"


def bullets(sentences: Iterable[str]) -> str:
    """A Markdown list of sentences written elsewhere."""
    return "\n".join(f"- {plain(s)}" for s in sentences)


def table(rows: Iterable[tuple[str, object]]) -> str:
    """A two-column Markdown table; the right column holds words from anywhere."""
    return "\n".join(
        ["| | |", "|:--|:--|", *(f"| {label} | {plain(value)} |" for label, value in rows)]
    )


def plural(n: int, noun: str) -> str:
    """3, "image" → 3 images."""
    if n == 1:
        return f"1 {noun}"
    return f"{count(n)} {noun}{'es' if noun.endswith('s') else 's'}"


def sentence(words: str) -> str:
    """The words with a capital letter and a full stop; a file's name at the beginning stays as it
    is.
    """
    words = words.strip()
    if not words:
        return ""
    end = "" if words[-1] in ".!?" else "."
    if _FILE_NAME.match(words):
        return f"{words}{end}"
    return f"{words[0].upper()}{words[1:]}{end}"
