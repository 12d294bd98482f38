"""Tables beside pictures: columns and rows of what people write them in.

Hugging Face's `metadata.csv|jsonl|parquet`, Roboflow's `_classes.csv`, any CSV or TSV with a column
of files; lists of lines "path label" (VTAB-1k) or of paths alone; JSON of {"path": class} (FGVC) or
of a list of records.
"""

import csv
import io
import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contracts.errors import BadData, BadImage
from .encodings import detect
from .formats import TABLES, suffix
from .listing import File, Parts

MAX_TABLE = 64 * 2**20
"""Bytes of a table, and of all tables together; what goes beyond is not looked at."""
MAX_CELLS = 5_000_000
"""Cells of a table, and of all tables together; they take far more memory than the file."""
MAX_COLUMNS = 5_000
"""Columns of a table: a one-hot table has one for each class."""
_MAX_TABLES = 200
"""Tables looked at, the shallowest first."""
PICTURE_SUFFIXES = {".jpg", ".jpeg", ".png", ".gif", ".webp", ".bmp", ".tif", ".tiff", ".dcm"}
"""How the pictures end that tables name."""

_PREAMBLE = re.compile(r"\A(sep=.\n|#[^\n,;\t|]*\n|[ \t]*\n)+")
"""What may stand before the header: Excel's "sep=;", comments, empty lines."""


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


def read_all(files: Iterable[File], beside: bool = False) -> list[Table]:
    """The tables in the files, the first ones where all together would be too many cells.

    Raises `BadData` for a damaged one; `beside` the set, it may have nothing to do with it.
    """
    tables: list[Table] = []
    bytes_left = MAX_TABLE
    cells_left = MAX_CELLS
    for file in files:
        bytes_left -= file.size
        if bytes_left < 0:
            break
        try:
            table = read_table(file, cells_left)
        except BadData:
            if not beside:
                raise
            continue
        if table:
            tables.append(table)
            cells_left -= len(table.rows) * len(table.columns)
    return tables


def read_table(file: File, most: int = MAX_CELLS) -> Table | None:
    """The table in a file, None if there is none in it, or one of more than `most` cells. Raises
    `BadData` for a parquet file that is damaged."""
    try:
        content = file.read()
    except BadImage:
        return None
    kind = suffix(file.parts[-1])
    read = {".jsonl": _json_lines, ".json": _json, ".parquet": _parquet, ".txt": _list}
    try:
        columns, rows = read.get(kind, _separated)(content, most)
    except (ValueError, csv.Error, RecursionError, UnicodeError):
        return None
    except BadData as error:
        hint = "Copy it again, or take it out of the set."
        raise BadData(f"the table {file.name} is damaged ({error.sentence}).", hint) from None
    if not columns or not rows:
        return None
    return Table(file.name, file.parts[:-1], tuple(columns), rows)


Cells = tuple[Sequence[str], Sequence[Sequence[Any]]]
"""(columns, rows)"""


def _check_cells(rows: int, columns: int, most: int) -> None:
    """`ValueError` if a table of this size is not read."""
    if columns > MAX_COLUMNS or rows * columns > most:
        raise ValueError("too large a table")


def _text(content: bytes, most: int) -> str:
    """The text, its lines ended by a newline alone; `ValueError` if they are more than `most`."""
    text = _decoded(content).replace("\r\n", "\n").replace("\r", "\n")
    _check_cells(text.count("\n"), 1, most)
    return text


def _decoded(content: bytes) -> str:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode(detect([content[:100_000]]) or "cp1252", "replace")


def _separated(content: bytes, most: int) -> Cells:
    text = _PREAMBLE.sub("", _text(content, most))
    first, _, _ = text.partition("\n")
    separator = max("\t,;|", key=first.count)
    if separator not in first:
        return _list(content, most)
    _check_cells(text.count("\n"), first.count(separator) + 1, most)
    _check_cells(text.count(separator), 1, most)
    csv.field_size_limit(10 * 2**20)
    rows = [row for row in csv.reader(io.StringIO(text), delimiter=separator) if any(row)]
    columns = [name.strip() for name in rows[0]]
    width = len(columns)
    _check_cells(len(rows), width, most)
    body = [[cell.strip() for cell in (row + [""] * width)[:width]] for row in rows[1:]]
    if any(suffix(name) in PICTURE_SUFFIXES for name in columns):  # no header: names of pictures
        return _without_header([columns, *body])
    return _distinct(columns), body


def _distinct(columns: Sequence[str]) -> list[str]:
    """Column names, the empty and repeated ones numbered."""
    names: list[str] = []
    taken: set[str] = set()
    for number, column in enumerate(columns, 1):
        name = column or f"column {number}"
        names.append(name if name not in taken else f"{name} ({number})")
        taken.add(names[-1])
    return names


def _list(content: bytes, most: int) -> Cells:
    """Lines "path label", or of a path alone (with its suffix or without); paths may hold spaces.
    Lines of several words apart by tabs are a table."""
    lines = [line.strip() for line in _text(content, most).split("\n") if line.strip()]
    if not lines:
        return [], []
    widths = {line.count("\t") for line in lines}
    if len(widths) == 1 and widths != {0}:
        _check_cells(len(lines), max(widths) + 1, most)
        return _without_header([line.split("\t") for line in lines])
    pairs = [line.rsplit(None, 1) for line in lines]
    named = [pair for pair in pairs if len(pair) == 2 and _looks_like_path(pair[0])]
    if 2 * len(named) > len(lines):
        return ["path", "label"], named
    if all(len(pair) == 2 for pair in pairs) and not any(map(_looks_like_path, lines)):
        return ["path", "label"], pairs
    return ["path"], [[line] for line in lines]


def _looks_like_path(word: str) -> bool:
    return suffix(word) in PICTURE_SUFFIXES or ("/" in word and len(word) < 300)


def _without_header(rows: list[list[str]]) -> Cells:
    return [f"column {n}" for n in range(1, len(rows[0]) + 1)], rows


def _json_lines(content: bytes, most: int) -> Cells:
    lines = _text(content, most).split("\n")
    return _records([json.loads(line) for line in lines if line.strip()], most)


def _json(content: bytes, most: int) -> Cells:
    """{"path": class}, {"path": {"label": class}}, {"class": ["path", ...]}, or a list of records,
    alone or under one name."""
    value = json.loads(_text(content, most))
    if isinstance(value, list):
        return _records(value, most)
    if not isinstance(value, dict) or not value:
        return [], []
    inside = list(value.values())
    if not any(isinstance(item, dict | list) for item in inside):
        return ["path", "label"], list(value.items())
    if all(isinstance(item, dict) for item in inside):
        return _records([{"path": path} | item for path, item in value.items()], most)
    if all(isinstance(item, list) for item in inside) and _are_words(inside):
        rows = [(path, label) for label, paths in value.items() for path in paths]
        return ["path", "label"], rows
    records = [item for item in inside if isinstance(item, list)]
    return _records(records[0], most) if len(records) == 1 else ([], [])


def _are_words(lists: Iterable[list[Any]]) -> bool:
    return all(isinstance(item, str) for items in lists for item in items)


def _records(records: Any, most: int) -> Cells:
    if not records or not all(isinstance(record, Mapping) for record in records):
        return [], []
    columns = list(dict.fromkeys(name for record in records for name in record))
    _check_cells(len(records), len(columns), most)
    return columns, [[record.get(name) for name in columns] for record in records]


def _parquet(content: bytes, most: int) -> Cells:
    from pyarrow import ArrowException, BufferReader, types
    from pyarrow.parquet import ParquetFile

    try:
        schema = ParquetFile(BufferReader(content)).schema_arrow
        plain = [
            f.name for f in schema if not types.is_struct(f.type) and not types.is_binary(f.type)
        ]
        texts = [f.name for f in schema if types.is_string(f.type)]
        file = ParquetFile(BufferReader(content), read_dictionary=texts)
        _check_cells(_values(file.metadata, len(plain)), 1, most)
        _check_cells(1, len(plain), most)
        table = file.read(columns=plain)
    except ArrowException as error:
        raise BadData(str(error)[:120]) from None
    return plain, list(zip(*(_cells(column) for column in table.columns), strict=True))


def _values(metadata: Any, columns: int) -> int:
    """Values in a parquet file: those that it says its columns hold, lists counted item by item."""
    groups = [metadata.row_group(place) for place in range(metadata.num_row_groups)]
    stored = sum(
        group.column(place).num_values for group in groups for place in range(group.num_columns)
    )
    return max(stored, metadata.num_rows * columns)


def _cells(column: Any) -> list[Any]:
    """A column's cells. Equal texts, which the file holds once, are held once here too."""
    cells: list[Any] = []
    for chunk in column.chunks:
        if not hasattr(chunk, "dictionary"):
            cells += chunk.to_pylist()
            continue
        texts = chunk.dictionary.to_pylist()
        cells += [None if n is None else texts[n] for n in chunk.indices.to_pylist()]
    return cells
