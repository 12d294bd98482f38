"""From files to a labelled set: folders, tables or file names give the classes, and the dataset
says which."""

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from ..contracts.data_spec import DataSpec, parse_splits
from ..contracts.progress import Report
from .dataset import Dataset, Example
from .folders import folder_tree
from .layout import read_layout
from .listing import File, Listing, Parts, with_readable_names
from .names import listed, name_notices, natural, plural
from .places import Layout, Place
from .readings import Reading, read_set
from .sorting import SortedFiles, sort_files

_FEW = 5
"""Up to so many pictures without a class are listed one by one."""


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
    reading = read_set(files, layout, spec, beside)
    return _dataset(title, listing, files, layout, reading)


def _layout(files: SortedFiles, spec: DataSpec) -> Layout:
    counts = Counter(picture.parts[:-1] for picture in files.pictures)
    counts.update(parts[:-1] for parts in files.claimed)
    level = spec.classes_from if spec.classes_from in ("folder", "parent") else ""
    return read_layout(folder_tree(counts), parse_splits(spec.splits), level)


def _dataset(
    title: str, listing: Listing, files: SortedFiles, layout: Layout, reading: Reading
) -> Dataset:
    places = {*reading.places.values(), *reading.unreadable}
    classes, differences = agree({(place.part, place.label) for place in places})
    alone, left_out = _unplaced(files, layout, reading)
    rejected = [item for item in files.rejected if "/".join(item[0]) not in reading.tables]
    shown = tuple((layout.shown(parts), reason) for parts, reason in [*rejected, *alone])
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
        _examples(files.pictures, classes, layout, reading.places),
        shown,
        tuple(notices),
        columns=reading.columns,
        image_column=reading.file_column,
        label_column=reading.label_column,
        reading=reading.sentence,
        alternatives=(*reading.alternatives, *listing.alternatives),
        doubt=" ".join(reading.doubts),
        official=reading.official,
        problem=reading.problem,
    )


def _examples(
    pictures: Iterable[File],
    classes: tuple[str, ...],
    layout: Layout,
    places: Mapping[Parts, Place],
) -> tuple[Example, ...]:
    labels = {name: label for label, name in enumerate(classes)}
    examples = []
    seen: set[str] = set()
    for picture in pictures:
        place = places.get(picture.parts)
        if place is None or place.label not in labels:
            continue
        name = layout.shown(picture.parts)
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
        f"{plural(count, 'picture')} in {layout.shown(folder)}/ left out: it {reason}."
        for (folder, reason), count in together.items()
    ]
    why = "no table gives it a class." if reading.columns else "it lies in no class folder."
    if len(alone) <= _FEW:
        return [(parts, why) for parts in alone], notices
    shown = listed(map(layout.shown, alone[:3]))
    where = "have no class in a table" if reading.columns else "lie in no class folder"
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
