"""Labels from tables: which columns name files, classes and splits, and what each picture is."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..contracts.cards import Alternative
from ..contracts.data_spec import DataSpec
from ..contracts.errors import BadData
from .labels import Verdict, best_columns, class_name, judge, refusals
from .layout import Layout, Place
from .listing import Parts
from .names import listed, plural
from .split_words import split_name
from .tables import PictureIndex, Table
from .wording import joined, splits_clause

_ENOUGH = 0.5
"""Share of a column's cells that must name pictures for it to be the column of files."""


@dataclass
class TableReading:
    """What tables say of the pictures: place by file, and how that was understood."""

    places: dict[Parts, Place] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    splits: dict[str, str] = field(default_factory=dict)
    file_column: str = ""
    label_column: str = ""
    columns: tuple[str, ...] = ()
    notices: list[str] = field(default_factory=list)
    alternatives: list[Alternative] = field(default_factory=list)
    doubt: str = ""
    problem: str = ""
    """Why there are no labels in them, empty if there are."""
    only_splits: bool = False
    """Whether the tables are lists of paths without labels."""

    @property
    def classes(self) -> set[str]:
        """Names of all classes in any split."""
        return {place.label for place in self.places.values() if place.label}

    @property
    def sentence(self) -> str:
        """How the tables were read, in one line."""
        names = [table.name for table in self.tables]
        shown = joined(names[:3]) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more"
        if self.only_splits:
            return f"{splits_clause(self.splits)}, from the lists {shown}; classes from folders"
        column = f"column {self.label_column!r} of " if self.label_column else ""
        return f"{splits_clause(self.splits)}; classes from {column}{shown}"


@dataclass(frozen=True)
class _Columns:
    """The columns of one table that matter: of files, of classes, of splits ("" for none)."""

    table: Table
    files: str
    labels: tuple[str, ...]
    """One column, or the columns of a one-hot table."""
    split: str = ""


def read_tables(
    tables: Sequence[Table],
    index: PictureIndex,
    layout: Layout,
    spec: DataSpec,
    choice: Mapping[str, str] | None,
) -> TableReading:
    """What these tables say. Tables that name no pictures are not used.

    `layout` gives the splits of folders, `choice` what a person says the splits are. Raises
    `BadData` for a column that was named and is not there, or cannot be one of classes.
    """
    reading = TableReading()
    naming = [(t, column) for t in tables if (column := _file_column(t, index, spec.image_column))]
    if spec.image_column and tables and not naming:
        raise BadData(
            f"no table has a column {spec.image_column!r} that names pictures of the set."
        )
    naming = _drop_unions(naming, choice)
    pooled = _pooled([table for table, _ in naming])
    labelled = [_columns(t, column, spec, reading, pooled) for t, column in naming]
    chosen = [columns for columns in labelled if columns is not None]
    if not chosen:
        lists = [(t, c) for t, c in naming if len(t.columns) == 1 and split_name(t.stem)]
        _read_lists(lists, index, reading, choice)
        return reading
    first = chosen[0]
    same = [c for c in chosen if c.labels == first.labels or len(c.table.columns) == 2]
    reading.problem = ""
    reading.tables = [columns.table for columns in same]
    reading.file_column = first.files
    reading.label_column = first.labels[0] if len(first.labels) == 1 else ""
    reading.columns = first.table.columns
    _read_rows(same, index, layout, reading, choice)
    return reading


def _pooled(tables: Sequence[Table]) -> dict[tuple[str, ...], dict[str, list[Any]]]:
    """The cells of tables with equal columns together: columns → name → cells. A list of 200 rows
    alone may hold nearly as many classes.
    """
    pooled: dict[tuple[str, ...], dict[str, list[Any]]] = {}
    for table in tables:
        cells = pooled.setdefault(table.columns, {name: [] for name in table.columns})
        for name in table.columns:
            cells[name] += table.values(name)
    return pooled


def _file_column(table: Table, index: PictureIndex, chosen: str) -> str:
    """The column whose cells name pictures, "" if none does."""
    names = [chosen] if chosen else table.columns
    best = ""
    most = _ENOUGH
    for name in names:
        if name not in table.columns:
            continue
        values = table.values(name)
        different = len({str(value) for value in values}) / len(values)
        share = index.share(values, table.folder) * (0.5 + 0.5 * different)
        if share > most or (chosen and share > 0):
            best, most = name, share
    return best


def _drop_unions(
    naming: list[tuple[Table, str]], choice: Mapping[str, str] | None
) -> list[tuple[Table, str]]:
    """Without lists like train800val200 where train800 and val200 have their own, and without
    unnamed splits."""
    if choice:
        return [(t, c) for t, c in naming if t.stem.lower() in choice or not split_name(t.stem)]
    said = {t.name: split_name(t.stem) for t, _ in naming}
    single = {s.part for s in said.values() if s and not s.union}
    return [(t, c) for t, c in naming if not ((s := said[t.name]) and s.union and s.part in single)]


def _columns(
    table: Table,
    files: str,
    spec: DataSpec,
    reading: TableReading,
    pooled: Mapping[tuple[str, ...], Mapping[str, list[Any]]],
) -> _Columns | None:
    """The columns of a table that names files; None if it has no labels, with the problem in
    `reading`."""
    rest = [name for name in table.columns if name != files]
    split = next((name for name in rest if _is_split_column(name, table.values(name))), "")
    rest = [name for name in rest if name != split]
    if not rest:
        return None
    if spec.label_column:
        return _named_column(table, files, spec.label_column, split)
    hot = _one_hot(table, rest)
    verdicts = [judge(name, pooled[table.columns][name]) for name in rest]
    best = best_columns(verdicts)
    if hot and not (best and best[0].named):
        return _hot_columns(table, files, hot, split, reading)
    if not best:
        reading.problem = f"The table {table.name} has no column of classes: {refusals(verdicts)}."
        return None
    _offer_columns(best, table, reading)
    return _Columns(table, files, (best[0].column,), split)


def _named_column(table: Table, files: str, name: str, split: str) -> _Columns | None:
    if name not in table.columns:
        raise BadData(
            f"no column {name!r} in {table.name};", f"the columns are {', '.join(table.columns)}."
        )
    verdict = judge(name, table.values(name))
    if verdict.reason and not verdict.classes:
        raise BadData(
            f"the column {name!r} of {table.name} {verdict.reason}.",
            "A picture takes one label here; name a column with one class per row.",
        )
    return _Columns(table, files, (name,), split)


def _offer_columns(best: Sequence[Verdict], table: Table, reading: TableReading) -> None:
    """Further columns to choose from, and a doubt where no name tells which one it is."""
    for other in best[1:4]:
        classes = plural(other.classes, "class")
        text = f"classes from column {other.column!r} of {table.name} ({classes})"
        reading.alternatives.append(Alternative(text, (("label_column", other.column),)))
    if len(best) > 1 and not best[0].named:
        names = listed(verdict.column for verdict in best)
        reading.doubt = f"The columns {names} of {table.name} may all be the classes."


def _is_split_column(name: str, values: Sequence[Any]) -> bool:
    """Whether the cells of a column are names of splits."""
    words = {str(value).strip().lower() for value in values}
    if not 2 <= len(words) <= 6:
        return False
    said = [split_name(word) for word in words]
    return all(s is not None and not s.rest for s in said)


def _one_hot(table: Table, names: Sequence[str]) -> list[str]:
    """The columns of zeros and ones, if there are at least two."""
    hot = [name for name in names if {_bit(cell) for cell in table.values(name)} <= {0, 1}]
    return hot if len(hot) >= 2 else []


def _bit(cell: Any) -> int:
    """0 or 1 as a number; 2 for anything else."""
    return {"0": 0, "1": 1, "0.0": 0, "1.0": 1, "False": 0, "True": 1}.get(str(cell).strip(), 2)


def _hot_columns(
    table: Table, files: str, hot: list[str], split: str, reading: TableReading
) -> _Columns | None:
    places = [table.columns.index(name) for name in hot]
    sums = Counter(sum(_bit(row[place]) for place in places) for row in table.rows)
    if any(count > 1 for count in sums):
        several = sum(n for count, n in sums.items() if count > 1)
        reading.problem = (
            f"The table {table.name} gives several labels to one picture"
            f" ({plural(several, 'row')}): "
            "a multi-label set, and here a picture takes one label."
        )
        return None
    return _Columns(table, files, tuple(hot), split)


# rows -------------------------------------------------------------------------------------------


def _read_rows(
    chosen: Sequence[_Columns],
    index: PictureIndex,
    layout: Layout,
    reading: TableReading,
    choice: Mapping[str, str] | None,
) -> None:
    """Gives each picture that a row names its class and split."""
    labels: defaultdict[Parts, set[str]] = defaultdict(set)
    parts: dict[Parts, str] = {}
    missing = unlabelled = 0
    for columns in chosen:
        table = columns.table
        whole = _part(table.stem, choice) if len(chosen) > 1 or choice else ""
        prefer = _folder_of(table.stem, layout)
        files = table.columns.index(columns.files)
        split = table.columns.index(columns.split) if columns.split else -1
        for row in table.rows:
            picture = index.find(row[files], table.folder, prefer)
            if picture is None:
                missing += 1
                continue
            label = _label(row, columns)
            if label is None:
                unlabelled += 1
                continue
            labels[picture.parts].add(label)
            said = str(row[split]) if split >= 0 else ""
            part = _part(said, choice) or whole or layout.part_of(picture.parts[:-1])
            parts[picture.parts] = part
            _note_split(reading, said or table.stem if part and (said or whole) else "", part)
    _settle(labels, parts, reading)
    if not reading.splits:
        given = set(parts.values())
        reading.splits = {name: part for name, part in layout.splits.items() if part in given}
    _row_notices(missing, unlabelled, chosen, reading)


def _note_split(reading: TableReading, name: str, part: str) -> None:
    if name:
        reading.splits[name] = part


def _label(row: Sequence[Any], columns: _Columns) -> str | None:
    places = [columns.table.columns.index(name) for name in columns.labels]
    if len(places) == 1:
        return class_name(row[places[0]])
    return next(
        (name for name, p in zip(columns.labels, places, strict=True) if _bit(row[p]) == 1), None
    )


def _part(word: str, choice: Mapping[str, str] | None) -> str:
    """The split that a word says, "" for none."""
    if choice is not None:
        return choice.get(word.strip().lower(), "")
    said = split_name(word)
    return said.part if said and said.part != "unlabelled" else ""


def _folder_of(stem: str, layout: Layout) -> Parts:
    """The folder of the split that a table's name says, () for none: train.csv means pictures in
    train/."""
    said = split_name(stem)
    matching = [g for g in layout.groups if said and g.part == said.part]
    return matching[0].inner.parts if matching else ()


def _settle(
    labels: Mapping[Parts, set[str]], parts: Mapping[Parts, str], reading: TableReading
) -> None:
    """One place for each picture; pictures with several labels are left out, or the table
    refused."""
    several = [place for place, names in labels.items() if len(names) > 1]
    if 5 * len(several) > len(labels):
        reading.problem = (
            f"{reading.tables[0].name} gives several labels to"
            f" {plural(len(several), 'picture')}: a table "
            "of a multi-label or detection set, and here a picture takes one label."
        )
        return
    for place, names in labels.items():
        if len(names) == 1:
            reading.places[place] = Place(parts[place], next(iter(names)))
    if several:
        shown = listed("/".join(place) for place in several)
        reading.notices.append(
            f"{plural(len(several), 'picture')} with more than one label left out: {shown}."
        )


def _row_notices(
    missing: int, unlabelled: int, chosen: Sequence[_Columns], reading: TableReading
) -> None:
    if missing:
        name = chosen[0].table.name if len(chosen) == 1 else "the tables"
        reading.notices.append(f"{plural(missing, 'row')} of {name} name no picture of the set.")
    if unlabelled:
        reading.notices.append(f"{plural(unlabelled, 'row')} without a label left out.")


def _read_lists(
    lists: Sequence[tuple[Table, str]],
    index: PictureIndex,
    reading: TableReading,
    choice: Mapping[str, str] | None,
) -> None:
    """Lists of paths without labels: they give the splits, and folders the classes."""
    reading.only_splits = True
    for table, column in lists:
        part = _part(table.stem, choice)
        if not part:
            continue
        pictures = [index.find(cell, table.folder) for cell in table.values(column)]
        places = {picture.parts: Place(part, "") for picture in pictures if picture}
        reading.places |= places
        reading.tables.append(table)
        reading.splits[table.stem] = part
