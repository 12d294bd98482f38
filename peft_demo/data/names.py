"""Names of files and classes: how they are cleaned, ordered, listed, and which ones are told apart
by too little."""

import re
from collections import defaultdict
from collections.abc import Iterable
from unicodedata import category, normalize

LONGEST = 255
"""Characters."""
_MISSING = {"nan", "none", "null", "n/a", "na", "<na>", "nil", "undefined", "?", "-", "--"}
_COPY = re.compile(r"( \(\d+\)|( -|_)? ?(copy|kopie|copie|copia)( \(?\d+\)?)?)$")
"""How systems end the names of copies: "cat (1)", "cat - Copy"."""


def clean(name: str) -> str:
    """A name as it may be shown: one Unicode form (a Mac writes é as two characters), printable."""
    name = normalize("NFC", name.encode("utf-8", "replace").decode("utf-8")).strip()
    printable = (c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in name)
    return "".join(printable)[:LONGEST]


def natural(name: str) -> tuple[list[int | str], str]:
    """A key that sorts "2" before "10" and "b" after "A"."""
    pieces = re.split(r"(\d+)", name)
    return [int(piece) if piece.isdecimal() else piece.casefold() for piece in pieces], name


def listed(names: Iterable[str], most: int = 5) -> str:
    """'a', 'b' and 3 more, in natural order."""
    ordered = sorted(names, key=natural)
    shown = ", ".join(repr(name) for name in ordered[:most])
    more = len(ordered) - most
    return f"{shown} and {more} more" if more > 0 else shown


def plural(count: int, noun: str) -> str:
    """1 picture, 2 pictures, 3 classes."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun}{'es' if noun.endswith('s') else 's'}"


def name_notices(classes: Iterable[str]) -> list[str]:
    """Sentences about class names that are nearly the same, or that mean "no label"."""
    classes = list(classes)
    alike = defaultdict(list)
    for name in classes:
        alike[_core(name)].append(name)
    notices = [
        f"The class names {listed(names)} differ only in case, spaces, accents or the mark of a "
        "copy; they are kept apart. Rename them if they are one class."
        for names in alike.values()
        if len(names) > 1
    ]
    missing = [name for name in classes if name.strip().casefold() in _MISSING]
    if missing:
        notices.append(
            f"The class {listed(missing)} looks like a missing label. Remove it if it is one."
        )
    return notices


def _core(name: str) -> str:
    """The name without case, accents, spaces, hyphens, underscores, and the mark of a copy."""
    if re.fullmatch(r"[-+]?[\d.,]+", name):
        return name  # -1 and 1 are two numbers
    plain = _COPY.sub("", normalize("NFKD", name).casefold())
    return "".join(c for c in plain if category(c) != "Mn" and c not in " -_\N{NO-BREAK SPACE}")
