"""From files to a labelled set: folders, tables or file names give the classes, and the dataset
says which."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ..contracts.cards import Alternative
from ..contracts.data_spec import DataSpec, parse_splits
from ..contracts.errors import BadData
from ..contracts.progress import Report
from .dataset import Dataset, Example
from .file_names import class_in_name, classes_in_names
from .folders import folder_tree
from .layout import Layout, Place, read_layout
from .listing import File, Listing, Parts, with_readable_names
from .names import listed, name_notices, natural, plural
from .sorting import SortedFiles, named_table, sort_files, tables_beside
from .table_labels import TableReading, read_tables
from .tables import PictureIndex, read_table
from .wording import splits_clause

_FEW = 5
"""Up to so many pictures without a class are listed one by one."""


@dataclass
class Reading:
    """What the pictures of a set are, and how that was found out."""

    places: Mapping[Parts, Place]
    """Of pictures, by their place."""
    sentence: str
    alternatives: list[Alternative] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)
    doubt: str = ""
    problem: str = ""
    columns: tuple[str, ...] = ()
    file_column: str = ""
    label_column: str = ""
    official: bool = False
    tables: frozenset[str] = frozenset()
    """Names of the tables that were used."""
    unreadable: frozenset[Place] = frozenset()
    """Classes of pictures that cannot be read: they count, so that a person hears of them."""


def arrange(
    title: str,
    listing: Listing,
    spec: DataSpec,
    report: Report | None = None,
    beside: Path | None = None,
) -> Dataset:
    """The dataset that these files are, read as `spec` says; what it leaves open is decided here
    and told.

    `beside` is where the set lies on this machine: tables may lie next to it, and `spec.labels` may
    be a path. Raises `BadData` for a choice in `spec` that does not fit the files.
    """
    listing = with_readable_names(listing, spec.encoding)
    files = sort_files(listing, report)
    layout = _layout(files, spec)
    reading = _read(files, layout, spec, beside)
    return _dataset(title, listing, files, layout, reading)


def _layout(files: SortedFiles, spec: DataSpec) -> Layout:
    counts = Counter(picture.parts[:-1] for picture in files.pictures)
    counts.update(parts[:-1] for parts in files.claimed)
    level = spec.classes_from if spec.classes_from in ("folder", "parent") else ""
    return read_layout(folder_tree(counts), parse_splits(spec.splits), level)


# which reading ----------------------------------------------------------------------------------


def _read(files: SortedFiles, layout: Layout, spec: DataSpec, beside: Path | None) -> Reading:
    """The reading that the spec asks for, else the one that says most about the pictures."""
    if spec.classes_from == "name":
        return _by_name(files, layout)
    by_folder = _by_folder(files, layout)
    if spec.classes_from in ("folder", "parent"):
        return by_folder
    tables = _read_tables(files, layout, spec, beside)
    if spec.classes_from == "table" or spec.labels:
        if len(tables.classes) < 2:
            raise BadData(tables.problem or "no table names the pictures of this set.")
        return _by_table(tables, by_folder)
    if _is_collection(tables, layout):
        return _collection(tables)
    reading = _best(files, layout, by_folder, tables)
    if len(layout.classes) < 2 and reading is by_folder:
        _offer_names(files, reading)
        reading.problem = reading.problem or tables.problem
    _check_splits(spec, layout, tables)
    return reading


def _best(files: SortedFiles, layout: Layout, by_folder: Reading, tables: TableReading) -> Reading:
    """Lists that give official splits, else class folders, else a table."""
    if len(tables.classes) > 1 and _is_official(tables):
        return _by_table(tables, by_folder)
    if tables.only_splits and len(layout.classes) > 1 and not layout.splits and tables.places:
        return _by_lists(files, layout, tables)
    if len(layout.classes) > 1:
        if len(tables.classes) > 1:
            by_folder.alternatives.append(_table_alternative(tables))
        return by_folder
    return _by_table(tables, by_folder) if len(tables.classes) > 1 else by_folder


def _read_tables(
    files: SortedFiles, layout: Layout, spec: DataSpec, beside: Path | None
) -> TableReading:
    named = spec.labels and named_table(spec.labels, files.tables, beside)
    candidates = [named] if named else files.tables
    index = PictureIndex(files.pictures)
    choice = parse_splits(spec.splits)
    tables = [table for file in candidates if (table := read_table(file))]
    reading = read_tables(tables, index, layout, spec, choice)
    if reading.places or spec.labels or beside is None or len(layout.classes) > 1:
        return reading
    tables = [table for file in tables_beside(beside) if (table := read_table(file))]
    outside = read_tables(tables, index, layout, spec, choice)
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
        places, layout.sentence, alternatives=list(layout.alternatives), doubt=layout.doubt
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
        list(tables.notices),
        doubt=tables.doubt,
        columns=tables.columns,
        file_column=tables.file_column,
        label_column=tables.label_column,
        official=official,
        tables=frozenset(table.name for table in tables.tables),
    )


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


# the dataset ------------------------------------------------------------------------------------


def _dataset(
    title: str, listing: Listing, files: SortedFiles, layout: Layout, reading: Reading
) -> Dataset:
    places = {*reading.places.values(), *reading.unreadable}
    classes, differences = agree({(place.part, place.label) for place in places})
    rejected, left_out = _unplaced(files, layout, reading)
    rejected = [
        item for item in files.rejected if "/".join(item[0]) not in reading.tables
    ] + rejected
    shown = tuple(("/".join(parts[layout.depth :]), reason) for parts, reason in rejected)
    notices = [
        *listing.notices,
        *files.notices,
        *reading.notices,
        *left_out,
        *_empty_notices(listing, layout),
        *_hidden_notices(listing),
        *differences,
        *name_notices(classes),
    ]
    return Dataset(
        title,
        classes,
        _examples(files.pictures, classes, layout.depth, reading.places),
        shown,
        tuple(notices),
        columns=reading.columns,
        image_column=reading.file_column,
        label_column=reading.label_column,
        reading=reading.sentence,
        alternatives=tuple(reading.alternatives),
        doubt=reading.doubt,
        official=reading.official,
        problem=reading.problem,
    )


def _examples(
    pictures: Iterable[File],
    classes: tuple[str, ...],
    depth: int,
    places: Mapping[Parts, Place],
) -> tuple[Example, ...]:
    labels = {name: label for label, name in enumerate(classes)}
    examples = []
    seen: set[str] = set()
    for picture in pictures:
        place = places.get(picture.parts)
        if place is None or place.label not in labels:
            continue
        name = "/".join(picture.parts[depth:])
        while name in seen:  # names that differ in spaces or Unicode form only
            name += "'"
        seen.add(name)
        mark = (picture.size, picture.mark)
        examples.append(Example(labels[place.label], place.part, name, picture.read, mark))
    return tuple(examples)


def _unplaced(
    files: SortedFiles, layout: Layout, reading: Reading
) -> tuple[list[tuple[Parts, str]], list[str]]:
    """Pictures without a class: a few one by one, what lies together in one notice."""
    together: Counter[tuple[Parts, str]] = Counter()
    alone: list[Parts] = []
    for picture in files.pictures:
        if picture.parts in reading.places:
            continue
        folder, reason = layout.reason(picture.parts[:-1])
        if reason:
            together[folder, reason] += 1
        else:
            alone.append(picture.parts)
    notices = [
        f"{plural(count, 'picture')} in {'/'.join(folder[layout.depth :]) or folder[-1]}/ left out:"
        f" it {reason}."
        for (folder, reason), count in together.items()
    ]
    why = "it lies in no class folder." if not reading.columns else "no table names it."
    if len(alone) <= _FEW:
        return [(parts, why) for parts in alone], notices
    shown = listed("/".join(parts[layout.depth :]) for parts in alone[:3])
    where = "lie in no class folder" if not reading.columns else "are named by no table"
    notices.append(f"{len(alone):,} pictures {where} and are left out: {shown} and others.")
    return [], notices


def _empty_notices(listing: Listing, layout: Layout) -> list[str]:
    """A sentence about class folders without a file."""
    inner = {group.inner.parts for group in layout.groups}
    names = {parts[-1] for parts in listing.empty if parts[:-1] in inner}
    names -= layout.classes
    if not names:
        return []
    folders = "class folder is" if len(names) == 1 else "class folders are"
    return [f"{len(names)} empty {folders} left out: {listed(names)}."]


def _hidden_notices(listing: Listing) -> list[str]:
    if not listing.hidden:
        return []
    names = listed({parts[-1] for parts in listing.hidden})
    return [
        f"Left out, as their names begin with a dot: {names}. Rename the folder if it is a class."
    ]


def agree(places: set[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes that can be trained on, of all (split, class) there are, and sentences where
    splits disagree."""
    given = {split: {c for s, c in places if s == split} for split, _ in places}
    everything = set[str]().union(*given.values())
    train = given.get("train") or given.get("") or everything
    notices = [
        _difference(train, split, given[split])
        for split in ("val", "test")
        if given.get(split, train) != train
    ]
    return tuple(sorted(train, key=natural)), tuple(notices)


def _difference(train: set[str], split: str, other: set[str]) -> str:
    only_train = train - other
    only_other = other - train
    parts = [f"only in train/: {listed(only_train)}"] if only_train else []
    if only_other:
        parts.append(f"only in {split}/, left out: {listed(only_other)}")
    return f"train/ and {split}/ hold different classes; {'; '.join(parts)}."
