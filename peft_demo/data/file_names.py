"""Classes from the names of files: `Abyssinian_1.jpg`, `cat.0.jpg`, `dog (3).png`."""

import re
from collections import Counter
from collections.abc import Iterable

from .listing import File

_MOST = 1_000
"""Classes; more of them are hardly meant."""
_CAMERA = {
    "img",
    "dsc",
    "dscn",
    "pict",
    "p",
    "image",
    "photo",
    "picture",
    "pic",
    "frame",
    "file",
    "pxl",
    "screenshot",
    "scan",
    "untitled",
}
"""Names that cameras give."""


def class_in_name(name: str) -> str:
    """A file's name without suffix, numbers at its end and what joins them: "Abyssinian_12.jpg" →
    "Abyssinian".

    A name that begins with a number, or has none, gives its first word: "0001_c1s1.jpg" → "0001".
    "" if there is none.
    """
    stem = name.rpartition(".")[0] or name
    word = re.sub(r"(?i)[\s._-]*(\(?\d+\)?|copy)$", "", stem)
    while word != stem:
        stem = word
        word = re.sub(r"(?i)[\s._-]*(\(?\d+\)?|copy)$", "", stem)
    return stem.strip(" ._-")


def classes_in_names(files: Iterable[File]) -> dict[str, int]:
    """Class → how many files say it, where names look like classes; empty where they do not.

    They do if there are at least two, most of them with several files, and they are not names that
    cameras give.
    """
    counts = Counter(class_in_name(file.parts[-1]) for file in files)
    total = counts.total()
    if not 2 <= len(counts) <= _MOST or 2 * len(counts) > total:
        return {}
    named = {name: n for name, n in counts.items() if name and name.lower() not in _CAMERA}
    repeated = sum(n for n in named.values() if n > 1)
    return dict(named) if len(named) > 1 and repeated >= 0.8 * total else {}
