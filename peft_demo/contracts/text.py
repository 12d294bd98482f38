"""How values are written wherever a person reads them: page, command line, model card, error."""

import unicodedata
from reprlib import Repr

QUOTED = 100
"""Characters of a value from elsewhere that a sentence shows at most."""

_repr = Repr()
_repr.maxstring = _repr.maxother = _repr.maxlong = QUOTED

INVISIBLE = {"Cc", "Cf", "Cs", "Zl", "Zp"}
"""Unicode's categories of control, format (bidirectional, zero-width), surrogate and line
separating characters."""


def is_visible(text: str) -> bool:
    """Whether every character of a name can be seen, or is an ordinary space."""
    return not any(unicodedata.category(character) in INVISIBLE for character in text)


def visible(text: str) -> str:
    """`text` without the characters that cannot be seen."""
    return "".join(character for character in text if is_visible(character))


def shortened(text: str) -> str:
    """`text` from elsewhere, cut to `QUOTED` characters."""
    return text if len(text) <= QUOTED else f"{text[: QUOTED - 1]}…"


def last_part(path: str) -> str:
    """The last part of a path of any system: all of it that may leave the machine."""
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]


def percent(fraction: float | None) -> str:
    """0.942 → 94.2 %; None → not measured."""
    if fraction is None:
        return "not measured"
    return f"{100 * fraction:.1f} %"


def rough_percent(fraction: float | None) -> str:
    """At least two digits: 1.24 → 124 %; 0.0342 → 3.4 %; 0.00031 → 0.031 %; None → –."""
    if fraction is None:
        return "–"
    value = 100 * fraction
    return f"{value:.0f} %" if 10 <= value < 1e6 else f"{value:.2g} %"


def duration(seconds: float) -> str:
    """9.4 → 9 s; 75 → 1 min 15 s; 4000 → 1 h 7 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def quoted(value: object) -> str:
    """`value` as Python writes it, however deep or long it is, cut to `QUOTED` characters."""
    return shortened(_repr.repr(value))
