"""Labels from tables: what the rows say of each picture."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..contracts.cards import Alternative
from ..contracts.data_spec import DataSpec, parse_splits
from ..contracts.errors import BadData
from .folder_labels import FolderLabels, find_folder_labels
from .listing import Parts
from .names import listed, plural
from .picture_index import PictureIndex
from .places import Choice, Layout, Place
from .split_columns import part_of_name, possible_splits, said_part, unnamed_notice, unused_notice
from .split_words import split_name
from .table_columns import (
    Columns,
    FileColumn,
    choose_columns,
    find_file_column,
    pooled_cells,
    unmatched,
)
from .tables import Table
from .wording import joined, splits_clause


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
    doubts: list[str] = field(default_factory=list)
    problem: str = ""
    """Why there are no labels in them, empty if there are."""
    unmatched: str = ""
    """A sentence where they name no pictures at all."""
    possible_splits: dict[str, Table] = field(default_factory=dict)
    """Columns that are called like splits."""
    split_columns: set[str] = field(default_factory=set)
    """Those that were read."""
    folders: FolderLabels | None = None
    """What another table says of whole folders."""
    only_splits: bool = False
    """Whether the tables are lists of paths without labels."""

    @property
    def classes(self) -> set[str]:
        """Names of all classes in any split."""
        return {place.label for place in self.places.values() if place.label}

    def unused_splits(self, by_table: bool) -> list[str]:
        """Notices about columns that may say splits and are not read; `by_table`: whether this is
        the reading of the set."""
        read = {*self.split_columns, self.label_column} if by_table else set()
        has_labels = len(self.classes) > 1
        return [
            unused_notice(column, table, by_table, has_labels)
            for column, table in self.possible_splits.items()
            if column not in read
        ]

    @property
    def sentence(self) -> str:
        """How the tables were read, in one line."""
        names = [table.name for table in self.tables]
        shown = joined(names[:3]) if len(names) <= 3 else f"{names[0]} and {len(names) - 1} more"
        if self.only_splits:
            return f"{splits_clause(self.splits)}, from the lists {shown}; classes from folders"
        column = f"column {self.label_column!r} of " if self.label_column else ""
        return f"{splits_clause(self.splits)}; classes from {column}{shown}"


def read_tables(
    tables: Sequence[Table], index: PictureIndex, layout: Layout, spec: DataSpec
) -> TableReading:
    """What these tables say. Tables that name no pictures are not used.

    `layout` gives the splits of folders. Raises `BadData` for a column that was named and is not
    there, or cannot be one of classes.
    """
    choice = parse_splits(spec.splits)
    found = [
        find_file_column(table, index, spec.image_column, _folder_of(table.stem, layout))
        for table in tables
    ]
    naming = [files for files in found if files]
    if spec.image_column and tables and not naming:
        raise BadData(
            f"no table has a column {spec.image_column!r} that names pictures of the set."
        )
    naming = _drop_unions(naming, choice)
    pooled = pooled_cells([files.table for files in naming])
    column = spec.label_column
    answers = [choose_columns(f, pooled[f.table.columns], column, choice) for f in naming]
    chosen = [answer for answer in answers if isinstance(answer, Columns)]
    refusals = [answer for answer in answers if isinstance(answer, str) and answer]
    if spec.label_column and refusals and not chosen:
        raise BadData(refusals[0])
    if not chosen:
        reading = _read_lists(naming, index, choice)
        reading.problem = refusals[0] if refusals else ""
        reading.unmatched = "" if naming else unmatched(tables)
    else:
        reading = _read_labels(chosen, index, layout, choice)
    named = {files.table.name for files in naming}
    if choice != {}:
        reading.possible_splits = possible_splits([files.table for files in naming])
    others = [table for table in tables if table.name not in named]
    reading.folders = find_folder_labels(others, layout.classes, spec.label_column)
    return reading


def _drop_unions(naming: list[FileColumn], choice: Choice) -> list[FileColumn]:
    """Without lists like train800val200 where train800 and val200 have their own, and without
    splits that a person did not name."""
    said = {files.table.name: split_name(files.table.stem) for files in naming}
    if choice:
        return [f for f in naming if f.table.stem.lower() in choice or not said[f.table.name]]
    single = {split.part for split in said.values() if split and not split.union}

    def repeats(files: FileColumn) -> bool:
        split = said[files.table.name]
        return bool(split and split.union and split.part in single)

    return [files for files in naming if not repeats(files)]


def _read_labels(
    chosen: Sequence[Columns], index: PictureIndex, layout: Layout, choice: Choice
) -> TableReading:
    """The reading by the table that names most pictures, and those with the same columns."""
    main = max(chosen, key=lambda columns: columns.files.rows)
    same = [c for c in chosen if c.labels == main.labels and c.files.name == main.files.name]
    reading = TableReading(
        tables=[columns.table for columns in same],
        file_column=main.files.name,
        label_column=main.labels[0] if len(main.labels) == 1 else "",
        columns=main.table.columns,
        split_columns={columns.split for columns in same},
    )
    _offer_columns(main, reading)
    rows = _Rows(index, layout, choice, several=len(same) > 1)
    for columns in same:
        rows.take(columns)
    rows.settle(reading)
    unnamed = [unnamed_notice(columns.table, columns.split, choice) for columns in same]
    reading.notices += filter(None, unnamed)
    others = [columns for columns in chosen if columns not in same]
    _doubt_others(main, others, reading)
    return reading


def _doubt_others(main: Columns, others: Sequence[Columns], reading: TableReading) -> None:
    """A doubt where another table names as many pictures and has a column of classes too."""
    for other in others:
        named = bool(other.candidates) and other.candidates[0].named
        if named and 2 * other.files.rows >= main.files.rows:
            table = other.table.name
            reading.doubts.append(f"{table} has labels too (column {other.labels[0]!r}).")
            reading.alternatives.append(Alternative(f"the labels of {table}", (("labels", table),)))


def _offer_columns(columns: Columns, reading: TableReading) -> None:
    """Further columns to choose from, and a doubt where no name tells which one it is."""
    table = columns.table.name
    for other in columns.candidates[1:4]:
        text = f"classes from column {other.column!r} of {table} ({plural(other.classes, 'class')})"
        reading.alternatives.append(Alternative(text, (("label_column", other.column),)))
    if len(columns.candidates) > 1 and not columns.candidates[0].named:
        names = listed(verdict.column for verdict in columns.candidates)
        reading.doubts.append(f"The columns {names} of {table} may all be the classes.")


class _Rows:
    """Collects what rows of tables say: classes and splits by picture."""

    def __init__(self, index: PictureIndex, layout: Layout, choice: Choice, several: bool):
        self._index = index
        self._layout = layout
        self._choice = choice
        self._several = several
        self._labels: defaultdict[Parts, set[str]] = defaultdict(set)
        self._parts: dict[Parts, str] = {}
        self._splits: dict[str, str] = {}
        self._crowded: set[Parts] = set()
        """Pictures with several labels in one table."""
        self._missing = 0
        self._unlabelled = 0

    def take(self, columns: Columns) -> None:
        """Reads the rows of one table."""
        table = columns.table
        files = columns.files
        place = table.columns.index(files.name)
        own: dict[Parts, str] = {}
        for row in table.rows:
            picture = self._index.find(row[place], table.folder, files.prefer, files.drop)
            label = columns.label(row) if picture else None
            if picture is None:
                self._missing += 1
            elif label is None:
                self._unlabelled += 1
            else:
                if own.setdefault(picture.parts, label) != label:
                    self._crowded.add(picture.parts)
                self._labels[picture.parts].add(label)
                self._parts[picture.parts] = self._part(columns, row, picture.parts)

    def _part(self, columns: Columns, row: Sequence, picture: Parts) -> str:
        """The split of a row: by its column of splits, its table's name, or the picture's
        folder."""
        word = columns.split_word(row)
        part = said_part(word, columns.parts.get(word.lower(), ""), self._choice)
        if part:
            self._splits[word if split_name(word) else f"{columns.split}={word}"] = part
            return part
        if self._several or self._choice:
            stem = columns.table.stem
            part = part_of_name(stem, self._choice)
            if part:
                self._splits[stem] = part
                return part
        return self._layout.part_of(picture[:-1])

    def settle(self, reading: TableReading) -> None:
        """One place for each picture; pictures with several labels are left out, or the tables
        refused."""
        several = [place for place, names in self._labels.items() if len(names) > 1]
        name = joined([table.name for table in reading.tables[:3]])
        if 5 * len(several) > len(self._labels):
            reading.problem = self._refusal(len(several), name)
            return
        for place, names in self._labels.items():
            if len(names) == 1:
                reading.places[place] = Place(self._parts[place], next(iter(names)))
        given = {place.part for place in reading.places.values()}
        of_folders = {n: part for n, part in self._layout.splits.items() if part in given}
        reading.splits = self._splits or of_folders
        reading.notices += self._notices(several, name)

    def _refusal(self, several: int, name: str) -> str:
        """Why these tables are of no use here."""
        pictures = plural(several, "picture")
        if 5 * len(self._crowded) > len(self._labels):
            return (
                f"{pictures} with several labels in {name}: a multi-label or detection set, and "
                "here a picture takes one label."
            )
        return f"{name} give different labels to {pictures}. Name one of them with --labels."

    def _notices(self, several: Sequence[Parts], name: str) -> list[str]:
        notices = []
        if several:
            shown = listed("/".join(place) for place in several)
            count = plural(len(several), "picture")
            notices.append(f"{count} with more than one label left out: {shown}.")
        if self._missing:
            rows = plural(self._missing, "row")
            notices.append(f"{rows} of {name} without a picture in the set.")
        if self._unlabelled:
            notices.append(f"{plural(self._unlabelled, 'row')} without a label left out.")
        return notices


def _folder_of(stem: str, layout: Layout) -> Parts:
    """The folder of the split that a table's name says, () for none: train.csv means pictures in
    train/."""
    said = split_name(stem)
    matching = [g for g in layout.groups if said and g.part == said.part]
    return matching[0].inner.parts if matching else ()


def _read_lists(naming: Sequence[FileColumn], index: PictureIndex, choice: Choice) -> TableReading:
    """Lists of paths without labels: they give the splits, and folders the classes."""
    reading = TableReading(only_splits=True)
    for files in naming:
        table = files.table
        part = part_of_name(table.stem, choice)
        if len(table.columns) > 1 or not part:
            continue
        cells = table.values(files.name)
        pictures = [index.find(cell, table.folder, files.prefer, files.drop) for cell in cells]
        reading.places |= {picture.parts: Place(part, "") for picture in pictures if picture}
        reading.tables.append(table)
        reading.splits[table.stem] = part
    return reading
