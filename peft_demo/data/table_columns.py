"""The columns of a table that matter: of files, of classes, of splits."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..contracts.errors import BadData
from .labels import Verdict, best_columns, class_name, judge, refusals
from .listing import Parts
from .names import plural
from .picture_index import PictureIndex, common_folders
from .places import Choice
from .split_columns import BITS, find_split
from .tables import Table
from .wording import joined

_ENOUGH = 0.5
"""Share of a column's cells that must name pictures for it to be the column of files."""

Cells = Mapping[str, Sequence[Any]]
"""Column → its cells."""


@dataclass(frozen=True)
class FileColumn:
    """The column of a table whose cells name pictures."""

    table: Table
    name: str
    drop: int
    """Folders at the start of each path that are not those of this set."""
    share: float
    """How many of its cells name pictures, as a fraction of 1."""
    prefer: Parts = ()
    """The folder that counts where several pictures have the name in a cell."""

    @property
    def rows(self) -> float:
        """About how many of its rows name pictures."""
        return self.share * len(self.table.rows)


@dataclass(frozen=True)
class Columns:
    """The columns of one table that matter."""

    files: FileColumn
    labels: tuple[str, ...]
    """One column, or the columns of a one-hot table."""
    split: str = ""
    """The column of splits, "" for none."""
    parts: Mapping[str, str] = field(default_factory=dict)
    """Cell of the column of splits, in lower case → part."""
    candidates: Sequence[Verdict] = ()
    """Columns that may hold the classes, the likeliest first."""

    @property
    def table(self) -> Table:
        """The table that they are of."""
        return self.files.table

    def label(self, row: Sequence[Any]) -> str | None:
        """The class in a row, None where there is none."""
        places = [self.table.columns.index(name) for name in self.labels]
        if len(places) == 1:
            return class_name(row[places[0]])
        named = zip(self.labels, places, strict=True)
        return next((name for name, place in named if _bit(row[place]) == 1), None)

    def split_word(self, row: Sequence[Any]) -> str:
        """What the column of splits says in a row, "" without such a column."""
        if not self.split:
            return ""
        return class_name(row[self.table.columns.index(self.split)]) or ""


def find_file_column(
    table: Table, index: PictureIndex, chosen: str, prefer: Parts
) -> FileColumn | None:
    """The column whose cells name pictures, None if none does. `chosen` is what a person said."""
    table = _with_first_row(table, index)
    best = None
    most = 0.0 if chosen else _ENOUGH
    for name in [chosen] if chosen else table.columns:
        if name not in table.columns:
            continue
        values = table.values(name)
        drop, share = _best_drop(values, table, index, prefer)
        different = len({str(value) for value in values}) / len(values)
        score = share * (0.5 + 0.5 * different)
        if score > most:
            best = FileColumn(table, name, drop, share, prefer)
            most = score
    return best


def unmatched(tables: Sequence[Table]) -> str:
    """A sentence about tables of which no column names pictures, "" where there are none."""
    tables = [table for table in tables if len(table.columns) > 1 and _is_text(table)]
    if not tables:
        return ""
    names = joined([table.name for table in tables[:3]])
    row = ", ".join(str(cell)[:40] for cell in tables[0].rows[0])
    return (
        f"No column of {names} names pictures of the set, each by a name that only one has; the "
        f"first row is: {row}."
    )


def _is_text(table: Table) -> bool:
    """Whether it can be shown: no lists of numbers (.txt), no damaged files."""
    return not table.name.endswith(".txt") and all(map(str.isprintable, table.columns))


def _with_first_row(table: Table, index: PictureIndex) -> Table:
    """The table, its columns numbered where the header is a row already: "IMG_0001", "cat"."""
    names = [name for name in table.columns if any(map(str.isdigit, name))]
    if not any(_is_another_row(name, table, index) for name in names):
        return table
    columns = tuple(f"column {number}" for number in range(1, len(table.columns) + 1))
    return replace(table, columns=columns, rows=[table.columns, *table.rows])


def _is_another_row(name: str, table: Table, index: PictureIndex) -> bool:
    """Whether a column's name means a picture that no cell below it does; "0" of pandas, which
    numbers columns, is no row."""
    picture = index.find(name, table.folder)
    if picture is None:
        return False
    below = [index.find(cell, table.folder) for cell in table.values(name)]
    return any(below) and picture not in below


def _best_drop(
    values: Sequence[Any], table: Table, index: PictureIndex, prefer: Parts
) -> tuple[int, float]:
    """(folders to drop at the start of each path, share of the cells that name pictures then).

    Only folders that begin the path in every row are dropped: paths of another machine.
    """
    shares = []
    for drop in range(common_folders(values) + 1):
        share = index.share(values, table.folder, prefer, drop)
        if share > _ENOUGH:
            return drop, share
        shares.append(share)
    return 0, shares[0]


def pooled_cells(tables: Sequence[Table]) -> dict[tuple[str, ...], dict[str, list[Any]]]:
    """The cells of tables with equal columns together: columns → name → cells. A list of 200 rows
    alone may hold nearly as many classes.
    """
    pooled: dict[tuple[str, ...], dict[str, list[Any]]] = {}
    for table in tables:
        cells = pooled.setdefault(table.columns, {name: [] for name in table.columns})
        for name in table.columns:
            cells[name] += table.values(name)
    return pooled


def choose_columns(files: FileColumn, cells: Cells, chosen: str, choice: Choice) -> Columns | str:
    """The columns of a table that names files, or why it has no labels ("" if it has no other
    column).

    `cells` are those that tell what a column holds, `chosen` is the column of classes that a person
    named, `choice` what they say the splits are. Raises `BadData` if that column cannot be.
    """
    table = files.table
    rest = [name for name in table.columns if name != files.name]
    split, parts = find_split(table, rest, choice)
    rest = [name for name in rest if name != split]
    if not rest:
        return ""
    if chosen:
        return _named_column(files, chosen, split, parts)
    verdicts = [judge(name, cells[name]) for name in rest]
    best = best_columns(verdicts)
    hot = _one_hot(table, rest)
    if hot and not (best and best[0].named):
        refusal = _several_labels(table, hot)
        return refusal or Columns(files, tuple(hot), split, parts)
    if not best:
        return f"The table {table.name} has no column of classes: {refusals(verdicts)}."
    return Columns(files, (best[0].column,), split, parts, best)


def _named_column(
    files: FileColumn, name: str, split: str, parts: Mapping[str, str]
) -> Columns | str:
    table = files.table
    if name not in table.columns:
        return f"there is no column {name!r} in {table.name}; it has {', '.join(table.columns)}."
    verdict = judge(name, table.values(name))
    if verdict.reason and not verdict.classes:
        raise BadData(
            f"the column {name!r} of {table.name} {verdict.reason}.",
            "A picture takes one label here; name a column with one class per row.",
        )
    return Columns(files, (name,), split, parts)


def _one_hot(table: Table, names: Sequence[str]) -> list[str]:
    """The columns of zeros and ones, if there are at least two and most rows hold a one."""
    hot = [name for name in names if {_bit(cell) for cell in table.values(name)} <= {0, 1}]
    places = [table.columns.index(name) for name in hot]
    marked = sum(any(_bit(row[place]) for place in places) for row in table.rows)
    return hot if len(hot) >= 2 and 2 * marked > len(table.rows) else []


def _bit(cell: Any) -> int:
    """0 or 1 as a number; 2 for anything else."""
    return BITS.get(str(cell).strip().lower(), 2)


def _several_labels(table: Table, hot: Sequence[str]) -> str:
    """Why a table of zeros and ones cannot be used, "" if each row holds one 1 at most."""
    places = [table.columns.index(name) for name in hot]
    sums = Counter(sum(_bit(row[place]) for place in places) for row in table.rows)
    several = sum(rows for ones, rows in sums.items() if ones > 1)
    if not several:
        return ""
    return (
        f"The table {table.name} gives several labels to one picture ({plural(several, 'row')}): "
        "a multi-label set, and here a picture takes one label."
    )
