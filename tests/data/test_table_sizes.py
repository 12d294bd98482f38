"""Tables that take far more memory than their files are not read."""

import io
import tracemalloc
from contextlib import nullcontext

import pytest

from peft_demo.data import tables
from peft_demo.data.listing import File

MANY = 6_000
"""Rows, or columns."""


def file(name: str, content: bytes) -> File:
    return File((name,), len(content), lambda: nullcontext(io.BytesIO(content)))


def parquet(**columns) -> bytes:
    import pyarrow
    from pyarrow import parquet as writer

    stream = io.BytesIO()
    writer.write_table(pyarrow.table(columns), stream)
    return stream.getvalue()


def lines(line: str) -> bytes:
    return "\n".join(line.format(n) for n in range(MANY)).encode()


BOMBS = {
    "a name in each line": ("a.jsonl", lambda: lines('{{"k{}": 1}}')),
    "more columns than a table has": ("a.csv", lambda: b",".join([b"c"] * MANY) + b"\n1,2\n"),
    "wide above, narrow below": ("a.csv", lambda: b"a," * 4_000 + b"\n" + b"1,\n" * MANY),
    "rows of nothing": ("a.parquet", lambda: parquet(label=[None] * (tables.MAX_CELLS + 1))),
    "a long list": ("a.parquet", lambda: parquet(label=[[0] * (tables.MAX_CELLS + 1)])),
    "a long line": ("a.csv", lambda: b"file,label\n" + b"," * (tables.MAX_CELLS + 1)),
    "tabs": ("a.txt", lambda: b"a" + b"\t" * tables.MAX_COLUMNS + b"b"),
    "empty lines": ("a.txt", lambda: b"\n" * (tables.MAX_CELLS + 1)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_table_of_too_many_cells_is_not_read(name):
    """Columns and rows that small files name multiply."""
    kind, content = BOMBS[name]
    assert tables.read_table(file(kind, content())) is None


def test_all_tables_together_are_bounded(monkeypatch):
    monkeypatch.setattr(tables, "MAX_CELLS", 10)
    files = [file(f"{n}.csv", b"file,label\na.jpg,cat\nb.jpg,dog\n") for n in range(9)]
    assert [table.name for table in tables.read_all(files)] == ["0.csv", "1.csv"]
    monkeypatch.setattr(tables, "MAX_TABLE", files[0].size)
    assert [table.name for table in tables.read_all(files)] == ["0.csv"]


def test_a_long_text_in_many_rows_is_held_once():
    """Parquet stores a text that recurs once; so does the table of it."""
    rows = 2_000
    content = parquet(label=["x" * 100_000, "y", None] + ["x" * 100_000] * rows)
    tracemalloc.start()
    table = tables.read_table(file("a.parquet", content))
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert table is not None
    assert [len(cell or "") for cell in table.values("label")] == [100_000, 1, 0] + [100_000] * rows
    assert most < 20e6
