"""Tables beside pictures: read, and matched with the pictures that they name.

Hugging Face's `metadata.csv|jsonl|parquet`, Roboflow's `_classes.csv`, any CSV or TSV with a column
of files; lists of lines "path label" (VTAB-1k) or of paths alone; JSON of {"path": class} (FGVC) or
of a list of records.
"""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contracts.errors import BadData, BadImage
from .encodings import detect
from .formats import TABLES, suffix
from .listing import File, Parts

MAX_TABLE = 256 * 2**20
"""Bytes of a table; larger files are not looked at."""
_MAX_TABLES = 200
"""Tables looked at, the shallowest first."""
_SAMPLE = 400
"""Rows that tell which column names files."""


@dataclass(frozen=True)
class Table:
    """Rows of cells under named columns. `folder` is where it lies, for the paths in it."""

    name: str
    folder: Parts
    columns: tuple[str, ...]
    rows: Sequence[Sequence[Any]] = field(repr=False)

    @property
    def stem(self) -> str:
        """Its name without folder and suffix: "train" of "lists/train.txt"."""
        return self.name.rpartition("/")[2].partition(".")[0]

    def values(self, column: str) -> list[Any]:
        """The cells of one column."""
        place = self.columns.index(column)
        return [row[place] for row in self.rows]


def table_files(files: Iterable[File]) -> list[File]:
    """The files that may be tables of labels, the shallowest first."""
    named = [file for file in files if suffix(file.parts[-1]) in TABLES and file.size <= MAX_TABLE]
    return sorted(named, key=lambda file: (len(file.parts), file.parts))[:_MAX_TABLES]


def read_table(file: File) -> Table | None:
    """The table in a file, None if there is none in it. Raises `BadData` for a parquet file that is
    damaged."""
    try:
        content = file.read()
    except BadImage:
        return None
    kind = suffix(file.parts[-1])
    read = {".jsonl": _json_lines, ".json": _json, ".parquet": _parquet, ".txt": _list}
    try:
        columns, rows = read.get(kind, _separated)(content)
    except (ValueError, csv.Error, RecursionError, UnicodeError):
        return None
    if not columns or not rows:
        return None
    return Table(file.name, file.parts[:-1], tuple(columns), rows)


Cells = tuple[Sequence[str], Sequence[Sequence[Any]]]
"""(columns, rows)"""


def _text(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
            return content.decode("utf-16")
        return content.decode(detect([content[:100_000]]) or "cp1252", "replace")


def _separated(content: bytes) -> Cells:
    text = _text(content)
    first, _, _ = text.partition("\n")
    separator = max("\t,;|", key=first.count)
    if separator not in first:
        return _list(content)
    csv.field_size_limit(10 * 2**20)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    columns = [name.strip() for name in rows[0]]
    width = len(columns)
    body = [[cell.strip() for cell in (row + [""] * width)[:width]] for row in rows[1:]]
    if any(suffix(name) in _PICTURE_SUFFIXES for name in columns):  # no header: names of pictures
        body.insert(0, columns)
        columns = [f"column {n + 1}" for n in range(width)]
    return _distinct(columns), body


def _distinct(columns: Sequence[str]) -> list[str]:
    """Column names, the empty and repeated ones numbered."""
    names: list[str] = []
    for number, column in enumerate(columns, 1):
        name = column or f"column {number}"
        names.append(name if name not in names else f"{name} ({number})")
    return names


def _list(content: bytes) -> Cells:
    """Lines "path label", or of a path alone; paths may hold spaces."""
    lines = [line.strip() for line in _text(content).splitlines() if line.strip()]
    pairs = [line.rsplit(None, 1) for line in lines]
    named = [pair for pair in pairs if len(pair) == 2 and _looks_like_path(pair[0])]
    if 2 * len(named) > len(lines):
        return ["path", "label"], named
    paths = [[line] for line in lines if _looks_like_path(line)]
    if 2 * len(paths) > len(lines):
        return ["path"], paths
    return [], []


def _looks_like_path(word: str) -> bool:
    return suffix(word) in _PICTURE_SUFFIXES or ("/" in word and len(word) < 300)


def _json_lines(content: bytes) -> Cells:
    records = [json.loads(line) for line in _text(content).splitlines() if line.strip()]
    return _records(records)


def _json(content: bytes) -> Cells:
    value = json.loads(_text(content))
    if (
        isinstance(value, dict)
        and value
        and not any(isinstance(v, dict | list) for v in value.values())
    ):
        return ["path", "label"], list(value.items())
    return _records(value) if isinstance(value, list) else ([], [])


def _records(records: Any) -> Cells:
    if not records or not all(isinstance(record, Mapping) for record in records):
        return [], []
    columns = list(dict.fromkeys(name for record in records for name in record))
    return columns, [[record.get(name) for name in columns] for record in records]


def _parquet(content: bytes) -> Cells:
    from pyarrow import ArrowException, BufferReader, types
    from pyarrow.parquet import ParquetFile

    try:
        file = ParquetFile(BufferReader(content))
        plain = [
            f.name
            for f in file.schema_arrow
            if not types.is_struct(f.type) and not types.is_binary(f.type)
        ]
        table = file.read(columns=plain)
    except ArrowException as error:
        raise BadData(f"a parquet file could not be read ({str(error)[:120]}).") from None
    return plain, list(zip(*(column.to_pylist() for column in table.columns), strict=True))


_PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".dcm"}


# which picture a cell means ---------------------------------------------------------------------


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

    def find(self, cell: Any, folder: Parts, prefer: Parts = ()) -> File | None:
        """The picture that `cell` of a table in `folder` means, None if there is none or there are
        several.

        Of several, the one in `prefer` counts, then the one nearest to the table.
        """
        words = str(cell).strip().replace("\\", "/").lower().split("/")
        parts = [word for word in words if word not in ("", ".", "..")]
        if not parts:
            return None
        found = self._ending(self._by_name, parts) or self._ending(self._by_stem, parts)
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

    def share(self, values: Sequence[Any], folder: Parts) -> float:
        """How many of these cells name a picture, as a fraction of 1."""
        if not values:
            return 0.0
        step = max(1, len(values) // _SAMPLE)
        sample = values[::step]
        return sum(self.find(cell, folder) is not None for cell in sample) / len(sample)
