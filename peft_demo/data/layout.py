"""From files in folders to a labelled set: which folder is a class, which a split, which only wraps the rest.

[wrapper/]  [train/ | val/ | test/]  class/  ... picture
"""

import re

from ..contracts.errors import BadImage
from ..contracts.progress import Report
from .dataset import Dataset, Example
from .images import open_header
from .listing import File, Listing, Parts

_SPLITS = {"train": "train", "training": "train", "test": "test", "testing": "test"}
_SPLITS |= dict.fromkeys(("val", "valid", "validation"), "val")
_SUFFIXES = (
    ".jpg",
    ".jpeg",
    ".png",
    ".gif",
    ".webp",
    ".bmp",
    ".tif",
    ".tiff",
    ".heic",
    ".heif",
    ".avif",
    ".svg",
    ".jp2",
)


def arrange(title: str, listing: Listing, report: Report | None = None) -> Dataset:
    """The dataset that these files are. All headers are read here, pixels only of what is chosen later."""
    pictures, rejected = _readable(listing.files, report)
    rejected = listing.rejected + rejected
    claimed = [parts[:-1] for parts, _ in rejected if parts[-1].lower().endswith(_SUFFIXES)]
    layout = Layout([f.parts[:-1] for f in pictures] + listing.empty + claimed)
    index = {name: label for label, name in enumerate(layout.classes)}
    examples = []
    for file in pictures:
        part, name = layout.place(file.parts[:-1])
        if name in index:
            examples.append(
                Example(index[name], part, "/".join(file.parts[layout.depth :]), file.read)
            )
        elif not name:
            rejected.append((file.parts, "it lies in no class folder."))
    shown = tuple(("/".join(parts[layout.depth :]), reason) for parts, reason in rejected)
    return Dataset(title, layout.classes, tuple(examples), shown, layout.notices)


class Layout:
    """How folders are to be read. `folders` are those that hold pictures, or should.

    `depth` counts the wrappers, `classes` come in natural order, `notices` tell where given splits differ.
    """

    def __init__(self, folders: list[Parts]):
        self.depth = _wrappers(folders)
        self.splits = _has_splits([f[self.depth :] for f in folders])
        places = {self.place(f) for f in folders} - {("", "")}
        self.classes, self.notices = agree(places)

    def place(self, folder: Parts) -> tuple[str, str]:
        """(split, class) of a folder's pictures, the split "" where none is given; two empty words where neither."""
        below = folder[self.depth :]
        if not self.splits:
            return ("", below[0]) if below else ("", "")
        split = _SPLITS.get(below[0].lower()) if len(below) > 1 else None
        return (split, below[1]) if split else ("", "")


def agree(places: set[tuple[str, str]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The classes that can be trained on, of all (split, class) there are, and sentences where splits disagree."""
    given = {split: {c for s, c in places if s == split} for split, _ in places}
    train = given.get("train") or given.get("") or set().union(*given.values())
    notices = [
        _difference(train, split, given[split])
        for split in ("val", "test")
        if given.get(split, train) != train
    ]
    return tuple(sorted(train, key=natural)), tuple(notices)


def natural(name: str) -> tuple:
    """Sorts "2" before "10" and "b" after "A"."""
    return [int(p) if p.isdecimal() else p.casefold() for p in re.split(r"(\d+)", name)], name


def listed(names, most: int = 5) -> str:
    """'a', 'b' and 3 more"""
    names = sorted(names, key=natural)
    shown = ", ".join(repr(n) for n in names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def _difference(train: set[str], split: str, other: set[str]) -> str:
    only_train = train - other
    only_other = other - train
    parts = [f"only in train/: {listed(only_train)}"] if only_train else []
    parts += [f"only in {split}/, left out: {listed(only_other)}"] if only_other else []
    return f"train/ and {split}/ hold different classes; {'; '.join(parts)}."


def _wrappers(folders: list[Parts]) -> int:
    depth = 0
    while any(len(f) > depth + 1 for f in folders):
        names = {f[depth] for f in folders if len(f) > depth}
        if len(names) > 1 or names.pop().lower() in _SPLITS:
            break
        depth += 1
    return depth


def _has_splits(folders: list[Parts]) -> bool:
    """A class may be called "train" as well (beside "bus"): then it stands alone, or holds no further folders."""
    first = {f[0].lower() for f in folders if f}
    found = {_SPLITS[f[0].lower()] for f in folders if len(f) > 1 and f[0].lower() in _SPLITS}
    return bool(found) and (first <= _SPLITS.keys() or len(found) > 1)


def _readable(
    files: list[File], report: Report | None
) -> tuple[list[File], list[tuple[Parts, str]]]:
    pictures = []
    rejected = []
    for number, file in enumerate(files):
        if report and number % 100 == 0:
            report("looking at the pictures", number / len(files))
        try:
            with file.open() as stream:
                open_header(stream)
            pictures.append(file)
        except BadImage as error:
            rejected.append((file.parts, error.sentence))
        except OSError as error:
            rejected.append((file.parts, f"cannot be read ({error.strerror})."))
    return pictures, rejected
