"""Which picture a cell of a table means."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from .formats import suffix
from .listing import File, Parts
from .tables import PICTURE_SUFFIXES

_SAMPLE = 400
"""Cells that tell whether a column names files."""


class PictureIndex:
    """Finds the picture that a cell of a table names: by its path, by its name, or without
    suffix."""

    def __init__(self, pictures: Iterable[File]):
        self._by_name: defaultdict[str, list[File]] = defaultdict(list)
        self._by_stem: defaultdict[str, list[File]] = defaultdict(list)
        for picture in pictures:
            name = picture.parts[-1].lower()
            self._by_name[name].append(picture)
            self._by_stem[name.rpartition(".")[0]].append(picture)

    def find(self, cell: Any, folder: Parts, prefer: Parts = (), drop: int = 0) -> File | None:
        """The picture that `cell` of a table in `folder` means, None if there is none or there are
        several.

        Of several, the one in `prefer` counts, then the one nearest to the table. `drop` folders at
        the start of the cell's path are not looked at.
        """
        parts = path_of(cell)[drop:]
        if not parts:
            return None
        found = (
            self._ending(self._by_name, parts)
            or self._ending(self._by_stem, parts)
            or self._ending(self._by_stem, [*parts[:-1], _stem(parts[-1])])
        )
        if len(found) > 1 and prefer:
            found = [file for file in found if file.parts[: len(prefer)] == prefer] or found
        if len(found) > 1:
            found = [file for file in found if file.parts[: len(folder)] == folder] or found
        if len(found) > 1:
            shortest = min(len(file.parts) for file in found)
            found = [file for file in found if len(file.parts) == shortest]
        return found[0] if len(found) == 1 else None

    @staticmethod
    def _ending(index: Mapping[str, list[File]], parts: list[str]) -> list[File]:
        """Pictures whose last name is the cell's and whose folders end as the cell's do."""
        above = parts[:-1]
        length = len(above)
        candidates = index.get(parts[-1], [])
        if not length:
            return list(candidates)
        return [f for f in candidates if [p.lower() for p in f.parts[-1 - length : -1]] == above]

    def share(
        self, values: Sequence[Any], folder: Parts, prefer: Parts = (), drop: int = 0
    ) -> float:
        """How many of these cells name a picture, as a fraction of 1; see `find`."""
        sample = _sample(values)
        found = [self.find(cell, folder, prefer, drop) for cell in sample]
        return sum(picture is not None for picture in found) / len(sample)


def path_of(cell: Any) -> list[str]:
    """The path in a cell, in lower case: of this machine or another one, or of an address."""
    text = str(cell).strip().replace("\\", "/").lower()
    if "://" in text:
        text = text.partition("?")[0]
    return [word for word in text.split("/") if word not in ("", ".", "..")]


def common_folders(values: Sequence[Any]) -> int:
    """With how many of the same folders the paths in these cells begin."""
    paths = [path_of(cell)[:-1] for cell in _sample(values)]
    count = 0
    for words in zip(*paths, strict=False):
        if len(set(words)) > 1:
            break
        count += 1
    return count


def _sample(values: Sequence[Any]) -> Sequence[Any]:
    """Some of many cells, from all over the column."""
    return values[:: max(1, len(values) // _SAMPLE)]


def _stem(name: str) -> str:
    """A file's name without the suffix of a picture."""
    return name.rpartition(".")[0] if suffix(name) in PICTURE_SUFFIXES else name
