"""Which reading of a set says most about its pictures: by folders, by tables, or by file names."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..contracts.cards import Alternative
from ..contracts.data_spec import DataSpec, parse_splits
from ..contracts.errors import BadData
from .detection import describe_detection
from .file_names import class_in_name, classes_in_names
from .folder_labels import SHARED_FOLDERS, FolderLabels
from .layout import are_parts
from .listing import Parts
from .names import listed, plural
from .picture_index import PictureIndex
from .places import Layout, Place
from .sorting import SortedFiles, named_table, tables_beside
from .table_labels import TableReading, read_tables
from .tables import read_all
from .wording import joined, splits_clause


@dataclass
class Reading:
    """What the pictures of a set are, and how that was found out."""

    places: Mapping[Parts, Place]
    """Of pictures, by their place."""
    sentence: str
    alternatives: list[Alternative] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    problem: str = ""
    columns: tuple[str, ...] = ()
    file_column: str = ""
    label_column: str = ""
    official: bool = False
    tables: frozenset[str] = frozenset()
    """Names of the tables that were used."""
    unreadable: frozenset[Place] = frozenset()
    """Classes of pictures that cannot be read: they count, so that a person hears of them."""


# which reading ----------------------------------------------------------------------------------


def read_set(files: SortedFiles, layout: Layout, spec: DataSpec, beside: Path | None) -> Reading:
    """The reading that the spec asks for, else the one that says most about the pictures."""
    if spec.classes_from == "name":
        return _by_name(files, layout)
    by_folder = _by_folder(files, layout)
    if spec.classes_from in ("folder", "parent"):
        return by_folder
    tables = _read_tables(files, layout, spec, beside)
    if spec.classes_from == "table" or spec.labels:
        return _by_chosen_table(tables, by_folder)
    if _is_collection(tables, layout):
        return _collection(tables)
    reading = _best(files, layout, by_folder, tables)
    if len(layout.classes) < 2 and reading is by_folder:
        _offer_names(files, reading)
        why = tables.problem or describe_detection(files) or tables.unmatched
        reading.problem = f"{reading.problem} {why}".strip()
    _check_splits(spec, layout, tables)
    if reading is by_folder:
        by_folder.notices += tables.unused_splits(by_table=False)
        if tables.folders:
            by_folder.doubts.append(tables.folders.doubt)
            by_folder.alternatives.append(tables.folders.alternative)
    return reading


def _by_chosen_table(tables: TableReading, by_folder: Reading) -> Reading:
    """The reading by a table that a person asked for: of pictures, else of whole folders."""
    if len(tables.classes) > 1:
        return _by_table(tables, by_folder)
    if tables.folders:
        return _by_folder_labels(tables.folders, by_folder)
    raise BadData(tables.problem or "no table names the pictures of this set.")


def _best(files: SortedFiles, layout: Layout, by_folder: Reading, tables: TableReading) -> Reading:
    """Lists that give official splits, else class folders, else a table."""
    if len(tables.classes) > 1 and _is_official(tables):
        return _by_table(tables, by_folder)
    if tables.only_splits and len(layout.classes) > 1 and not layout.splits and tables.places:
        return _by_lists(files, layout, tables)
    if len(tables.classes) < 2:
        return by_folder
    if len(layout.classes) < 2 or are_parts(layout.classes):
        return _by_table(tables, by_folder)
    _compare(by_folder, tables)
    _complete(by_folder, tables)
    return by_folder


def _compare(by_folder: Reading, tables: TableReading) -> None:
    """Says that folders and a table sort the pictures in different ways, where they do."""
    both = by_folder.places.keys() & tables.places.keys()
    pairs = {(by_folder.places[parts].label, tables.places[parts].label) for parts in both}
    folders = {folder for folder, _ in pairs}
    labels = {label for _, label in pairs}
    crossed = any(folder != label and folder in labels for folder, label in pairs)
    if not crossed and len(pairs) == len(folders) == len(labels):
        return
    by_folder.alternatives.append(_table_alternative(tables))
    table = tables.tables[0].name
    by_folder.doubts.append(f"{table} sorts the pictures into other classes than the folders.")


def _complete(by_folder: Reading, tables: TableReading) -> None:
    """Takes pictures that lie in no class folder by a table that gives them one of the classes."""
    classes = {place.label for place in by_folder.places.values()}
    more = {
        parts: place
        for parts, place in tables.places.items()
        if parts not in by_folder.places and place.label in classes
    }
    if more:
        names = joined([table.name for table in tables.tables[:3]])
        by_folder.places = {**by_folder.places, **more}
        by_folder.sentence += f", of {plural(len(more), 'picture')} from {names}"
        by_folder.tables = frozenset(table.name for table in tables.tables)


def _read_tables(
    files: SortedFiles, layout: Layout, spec: DataSpec, beside: Path | None
) -> TableReading:
    named = spec.labels and named_table(spec.labels, files.tables, beside)
    candidates = [named] if named else files.tables
    index = PictureIndex(files.pictures)
    tables = read_all(candidates)
    reading = read_tables(tables, index, layout, spec)
    if reading.places or spec.labels or beside is None or len(layout.classes) > 1:
        return reading
    tables = read_all(tables_beside(beside), beside=True)
    outside = read_tables(tables, index, layout, spec)
    return outside if outside.places else reading


def _is_official(tables: TableReading) -> bool:
    """Whether lists "path label" name training and test pictures, as those of VTAB-1k and FGVC
    do."""
    lists = all(table.columns == ("path", "label") for table in tables.tables)
    return lists and {"train", "test"} <= set(tables.splits.values())


def _is_collection(tables: TableReading, layout: Layout) -> bool:
    """Whether several sets lie beside each other, each with lists of its own."""
    folders = {table.folder for table in tables.tables}
    inside = {group.inner.parts for group in layout.groups if group.part}
    names = Counter(table.name.rpartition("/")[2] for table in tables.tables)
    return len(folders - inside) > 1 and _is_official(tables) and max(names.values()) > 1


def _collection(tables: TableReading) -> Reading:
    sets = listed({"/".join(table.folder) for table in tables.tables})
    return Reading(
        {},
        "several sets, each with lists of its own",
        problem=f"This holds several sets: {sets}. Name one of them.",
    )


def _check_splits(spec: DataSpec, layout: Layout, tables: TableReading) -> None:
    """`BadData` if splits were named of which there is none."""
    if not parse_splits(spec.splits) or layout.splits or tables.splits:
        return
    raise BadData(
        f"nothing here is called as in --splits {spec.splits}.",
        "Name folders, lists or words of a split column; `check` without it shows what there is.",
    )


# the readings -----------------------------------------------------------------------------------


def _by_folder(files: SortedFiles, layout: Layout) -> Reading:
    places = {f.parts: p for f in files.pictures if (p := layout.places.get(f.parts[:-1]))}
    reading = Reading(
        places, layout.sentence, list(layout.alternatives), doubts=list(layout.doubts)
    )
    reading.problem = layout.problem
    reading.unreadable = frozenset(
        place for parts in files.claimed if (place := layout.places.get(parts[:-1]))
    )
    if layout.splits and not layout.places:
        names = listed(layout.splits)
        reading.problem = f"The folders {names} look like splits and hold no class folders."
        reading.alternatives.append(Alternative(f"{names} as classes", (("splits", "none"),)))
    return reading


def _by_lists(files: SortedFiles, layout: Layout, tables: TableReading) -> Reading:
    """Classes from folders, splits from lists of paths."""
    places = {}
    for picture in files.pictures:
        place = layout.places.get(picture.parts[:-1])
        listed_place = tables.places.get(picture.parts)
        if place and listed_place:
            places[picture.parts] = Place(listed_place.part, place.label)
    whole = Alternative("the lists ignored, splits chosen here", (("splits", "none"),))
    names = frozenset(table.name for table in tables.tables)
    return Reading(places, tables.sentence, [*layout.alternatives, whole], tables=names)


def _by_table(tables: TableReading, by_folder: Reading) -> Reading:
    official = _is_official(tables)
    places = _named_by_folder(tables.places) if official else tables.places
    alternatives = list(tables.alternatives)
    classes = {place.label for place in by_folder.places.values()}
    if len(classes) > 1:
        text = f"classes from folders ({plural(len(classes), 'class')}: {listed(classes, 3)})"
        alternatives.append(Alternative(text, (("classes_from", "folder"),)))
    return Reading(
        places,
        tables.sentence,
        alternatives,
        tables.notices + tables.unused_splits(by_table=True),
        doubts=list(tables.doubts),
        columns=tables.columns,
        file_column=tables.file_column,
        label_column=tables.label_column,
        official=official,
        tables=frozenset(table.name for table in tables.tables),
    )


def _by_folder_labels(found: FolderLabels, by_folder: Reading) -> Reading:
    """Each picture has the label that the table gives to its folder."""
    labelled = {
        parts: Place(place.part, found.labels[place.label.lower()])
        for parts, place in by_folder.places.items()
        if place.label.lower() in found.labels
    }
    whole = Alternative("classes from folders", (("classes_from", "folder"),))
    reading = Reading(labelled, found.sentence, [whole], [SHARED_FOLDERS])
    reading.tables = frozenset({found.table.name})
    reading.label_column = found.label_column
    return reading


def _named_by_folder(places: Mapping[Parts, Place]) -> dict[Parts, Place]:
    """Where each number stands for one folder and each folder for one number, the folders' names
    are the classes."""
    pairs = {(place.label, parts[-2] if len(parts) > 1 else "") for parts, place in places.items()}
    folders = dict(pairs)
    one_to_one = len(pairs) == len(folders) == len(set(folders.values()))
    if not one_to_one or not all(label.isdigit() for label in folders):
        return dict(places)
    return {parts: Place(p.part, folders[p.label]) for parts, p in places.items()}


def _by_name(files: SortedFiles, layout: Layout) -> Reading:
    places = {}
    for picture in files.pictures:
        label = class_in_name(picture.parts[-1])
        folder = picture.parts[:-1]
        if label and not layout.reason(folder)[1]:
            places[picture.parts] = Place(layout.part_of(folder), label)
    given = {place.part for place in places.values()}
    splits = {name: part for name, part in layout.splits.items() if part in given}
    return Reading(places, f"{splits_clause(splits)}; classes from the names of the files")


def _offer_names(files: SortedFiles, reading: Reading) -> None:
    names = classes_in_names(files.pictures)
    if names:
        text = f"classes from file names ({plural(len(names), 'class')}: {listed(names, 3)})"
        reading.alternatives.append(Alternative(text, (("classes_from", "name"),)))
        shown = f"The file names look like classes: {listed(names)}."
        reading.problem = f"{reading.problem} {shown}".strip()


def _table_alternative(tables: TableReading) -> Alternative:
    classes = tables.classes
    column = f" (column {tables.label_column!r})" if tables.label_column else ""
    text = (
        f"classes from {tables.tables[0].name}{column} "
        f"({plural(len(classes), 'class')}: {listed(classes, 3)})"
    )
    return Alternative(text, (("classes_from", "table"),))
