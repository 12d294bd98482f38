"""How folders are to be read: which one is a split, which one a class, which only wraps the rest.

    [wrapper/]  [train/ | val/ | test/  [wrapper/]]  class/  ... picture
    [wrapper/]  class/  train/ | test/  ... picture

What is none of these (a copy of the set, thumbnails, an unlabelled test set) is left out, and a
notice says so.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..contracts.cards import Alternative
from .folders import Folder
from .listing import Parts
from .names import listed, plural
from .split_words import GENERIC, SplitName, split_name
from .wording import splits_clause

PLAIN_SPLITS = {"train", "training", "val", "valid", "validation", "test", "testing"}
"""A lone folder of another name, "test_images", is the whole set and no split."""
ASIDE = {
    "thumb": "thumbnails", "thumbs": "thumbnails", "thumbnail": "thumbnails",
    "thumbnails": "thumbnails", "_thumbs": "thumbnails", "preview": "previews",
    "previews": "previews", "mask": "masks", "masks": "masks", "annotation": "annotations",
    "annotations": "annotations", "groundtruth": "annotations", "ground_truth": "annotations",
    "segmentation": "annotations", "segmentations": "annotations", "trimaps": "annotations",
}  # fmt: skip
"""Folders that accompany a set; beside two others they are no class."""
_NUMBERED = re.compile(
    r"(fold|part|set|batch|session|group|cam|camera|site|source|subset|version|v|run|day|year|k|"
    r"domain|clip|video|seq|sequence|scene|take|subject|patient|person|p|s|id)?[-_ ]*(\d+|[a-e])"
)


@dataclass(frozen=True)
class Place:
    """Where the pictures of a folder belong: the split, "" where none is given, and the class."""

    part: str
    label: str


@dataclass(frozen=True)
class Group:
    """A folder that is a split, or the whole set where there are none. `inner` holds its class
    folders."""

    inner: Folder
    part: str = ""
    name: str = ""


@dataclass
class Layout:
    """What the folders mean. `depth` counts the wrappers around everything."""

    depth: int
    places: dict[Parts, Place] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    left_out: dict[Parts, str] = field(default_factory=dict)
    """Folder → why all in it is left out."""
    sentence: str = ""
    alternatives: list[Alternative] = field(default_factory=list)
    doubt: str = ""
    problem: str = ""
    """Why this is not one set."""

    @property
    def classes(self) -> set[str]:
        """Names of all classes in any split."""
        return {place.label for place in self.places.values()}

    @property
    def splits(self) -> dict[str, str]:
        """Name of the split as it was found → part."""
        return {group.name: group.part for group in self.groups if group.part}

    def part_of(self, folder: Parts) -> str:
        """The split in which a folder lies, "" for none."""
        for group in self.groups:
            if folder[: group.inner.depth] == group.inner.parts:
                return group.part
        return ""

    def reason(self, folder: Parts) -> tuple[Parts, str]:
        """(outermost folder that is left out, why) for a folder in it; ((), "") for any other."""
        for depth in range(len(folder) + 1):
            if reason := self.left_out.get(folder[:depth]):
                return folder[:depth], reason
        return (), ""


def read_layout(root: Folder, choice: Mapping[str, str] | None = None, level: str = "") -> Layout:
    """What the folders of the tree mean.

    `choice` says what the splits are (name → part, {} for none), `level` whether classes are the
    first folders ("folder") or those around the pictures ("parent"); where they are left out, this
    decides.
    """
    layout = Layout(0)
    base = _unwrap(root, layout, choice)
    layout.depth = base.depth
    if (
        choice is None
        and not level
        and (_read_inverted(base, layout) or _read_joined(base, layout))
    ):
        return layout
    groups = _find_groups(base, layout, choice)
    if not groups and not level and choice is None:
        groups = _alike(base, layout)
    layout.groups = groups or [Group(base)]
    for group in layout.groups:
        _place(group, layout, level)
    _leave_flat_out(layout)
    layout.sentence = _sentence(layout, level)
    layout.alternatives += _other_level(layout, level)
    return layout


# wrappers and what lies beside ------------------------------------------------------------------


def _unwrap(root: Folder, layout: Layout, choice: Mapping[str, str] | None) -> Folder:
    """The folder below which splits or classes stand."""
    folder = root
    while True:
        rest = _without_aside(folder, layout)
        if len(rest) != 1 or not rest[0].children:
            return folder
        name = rest[0].name.lower()
        if name in (PLAIN_SPLITS if choice is None else choice):
            return folder
        folder = rest[0]


def _without_aside(folder: Folder, layout: Layout) -> list[Folder]:
    """The children, without thumbnails and masks; these are left out."""
    aside = {name for name in folder.children if name.lower() in ASIDE}
    rest = folder.without(aside)
    if not rest or (
        len(rest) == 1 and not rest[0].children and rest[0].name.lower() not in GENERIC
    ):
        return list(folder.children.values())  # {cat, masks}: nothing says which one is the class
    for name in aside:
        what = ASIDE[name.lower()]
        layout.left_out[folder.children[name].parts] = f"looks like a folder of {what}"
    return rest


def _copies(folder: Folder, layout: Layout) -> None:
    """Leaves out a child that holds the folders beside it once more."""
    names = set(folder.children)
    for child in folder.children.values():
        again = names & set(child.children) - {child.name}
        if len(again) >= 2 and 2 * len(again) >= len(child.children):
            layout.left_out[child.parts] = "holds the same folders again: a copy of the set"


# splits -----------------------------------------------------------------------------------------


def _find_groups(base: Folder, layout: Layout, choice: Mapping[str, str] | None) -> list[Group]:
    """The splits among the children; none where they are classes."""
    if choice is not None:
        said = {n: choice[n.lower()] for n in base.children if n.lower() in choice}
    else:
        said = _said_splits(base, layout)
    groups = [Group(_inner(base.children[name], base), part, name) for name, part in said.items()]
    if groups:
        _leave_others_out(base, said, layout)
    return groups


def _said_splits(base: Folder, layout: Layout) -> dict[str, str]:
    """Name → part of the children that are splits by their names; empty where these are classes."""
    names = {n: s for n in base.children if (s := split_name(n))}
    names = {n: s for n, s in names.items() if base.children[n].parts not in layout.left_out}
    _drop_unions(names, base, layout)
    parts = {said.part for said in names.values()} - {"unlabelled"}
    deep = {said.part for name, said in names.items() if base.children[name].children}
    rest = {said.rest for said in names.values()}
    others = [c for c in base.without(set(names)) if c.parts not in layout.left_out]
    if not others and (len(rest) == 1 or len(parts) > 1):
        sure = bool(names)
    else:
        sure = len(deep) > 1 or (len(parts) > 1 and rest == {""})
    if sure:
        return {name: said.part for name, said in names.items()}
    _offer_splits(names, base, layout)
    return {}


def _drop_unions(names: dict[str, SplitName], base: Folder, layout: Layout) -> None:
    """Leaves "trainval" out where there is a "train" of its own."""
    single = {said.part for said in names.values() if not said.union}
    for name in [n for n, said in names.items() if said.union and said.part in single]:
        layout.left_out[base.children[name].parts] = "repeats the splits beside it"
        del names[name]


def _offer_splits(names: Mapping[str, SplitName], base: Folder, layout: Layout) -> None:
    deep = {n: said.part for n, said in names.items() if base.children[n].children}
    if not deep:
        return
    text = ",".join(f"{part}={name}" for name, part in deep.items() if part != "unlabelled")
    layout.alternatives.append(
        Alternative(f"{listed(deep)} read as a split, with classes below", (("splits", text),))
    )
    layout.doubt = f"The folder {listed(deep)} looks like a split and is read as a class."


def _leave_others_out(base: Folder, said: Mapping[str, str], layout: Layout) -> None:
    """Notes why the children beside the splits are not used."""
    inside = {name for split in said for name in base.children[split].children}
    for child in base.without(set(said)):
        below = {name for folder in [child, *child.children.values()] for name in folder.children}
        again = below & (inside | set(said))
        reason = "a copy of the set" if len(again) >= 2 else "lies beside the splits"
        layout.left_out.setdefault(child.parts, reason)


def _inner(split: Folder, base: Folder) -> Folder:
    """The folder in a split that holds its class folders: seg_train/seg_train, train/images."""
    folder = split
    while len(folder.children) == 1 and not folder.own:
        (child,) = folder.children.values()
        known = {base.name.lower(), split.name.lower(), *GENERIC}
        if child.name.lower() not in known and not split_name(child.name):
            break
        folder = child
    return folder


def _read_inverted(base: Folder, layout: Layout) -> bool:
    """Splits below each class: cat/train, cat/test. Whether that is how the set lies."""
    children = [c for c in base.children.values() if c.parts not in layout.left_out]
    if len(children) < 2 or not all(child.children for child in children):
        return False
    below = {name: split_name(name) for child in children for name in child.children}
    parts = {said.part for said in below.values() if said and not said.rest}
    if not all(below.values()) or len(parts) < 2 or any(map(split_name, base.children)):
        return False
    if any(len(f.children) > 1 for child in children for f in child.children.values()):
        layout.problem = f"This holds several sets: {listed(base.children)}. Name one of them."
        return True
    layout.groups = [
        Group(folder, said.part, name)
        for child in children
        for name, folder in child.children.items()
        if (said := below[name])
    ]
    for group in layout.groups:
        for folder in group.inner.walk():
            layout.places[folder.parts] = Place(group.part, folder.parts[base.depth])
    layout.sentence = f"{splits_clause(layout.splits)} below each class; classes from folders"
    return True


def _read_joined(base: Folder, layout: Layout) -> bool:
    """Split and class in one name: trainA, trainB, testA, testB. Whether that is how the set
    lies."""
    names = {name: split_name(name) for name in base.children}
    rests = {said.rest for said in names.values() if said}
    parts = {said.part for said in names.values() if said}
    if not all(names.values()) or len(rests) < 2 or "" in rests or len(parts) < 2:
        return False
    if len(names) <= len(rests) or any(child.children for child in base.children.values()):
        return False
    for name, said in names.items():
        if said:
            folder = base.children[name]
            layout.groups.append(Group(folder, said.part, name))
            layout.places[folder.parts] = Place(said.part, said.rest)
    layout.sentence = f"{splits_clause(layout.splits)}; classes from the rest of their names"
    layout.alternatives.append(Alternative(f"{listed(names)} as classes", (("splits", "none"),)))
    return True


def _alike(base: Folder, layout: Layout) -> list[Group]:
    """Children that hold folders of the same names and may be splits or sources with names of their
    own."""
    children = [c for c in base.children.values() if c.parts not in layout.left_out]
    below = [set(child.children) for child in children]
    if len(children) < 2 or any(len(names) < 2 for names in below):
        return []
    shared = set.intersection(*below)
    if 2 * len(shared) < max(map(len, below)):
        return []
    if all(_NUMBERED.fullmatch(name.lower()) for name in shared):
        return []  # clips or days of each class
    names = [child.name for child in children]
    numbered = all(_NUMBERED.fullmatch(name.lower()) for name in names)
    layout.doubt = (
        f"The folders {listed(names)} hold folders of the same names, {listed(shared)}: "
        "either level may be the classes."
    )
    if not numbered and len(shared) <= len(children):
        return []
    layout.alternatives.append(
        Alternative(f"classes {listed(names)}, the first folders", (("classes_from", "folder"),))
    )
    text = f"train={names[0]},test={names[-1]}"
    layout.alternatives.append(
        Alternative(f"{names[0]!r} and {names[-1]!r} as splits", (("splits", text),))
    )
    return [Group(child, "", "") for child in children]


# classes ----------------------------------------------------------------------------------------


def _place(group: Group, layout: Layout, level: str) -> None:
    """Gives each folder below the group its class."""
    if group.part == "unlabelled":
        layout.left_out[group.inner.parts] = "its name says that it has no labels"
        return
    _copies(group.inner, layout)
    kept = _without_aside(group.inner, layout)
    for child in kept:
        if child.parts in layout.left_out:
            continue
        for folder in child.walk():
            label = folder.name if level == "parent" else child.name
            layout.places[folder.parts] = Place(group.part, label)


def _leave_flat_out(layout: Layout) -> None:
    """Leaves out splits without class folders where others have some: an unlabelled test set."""
    if not layout.places or len(layout.groups) < 2:
        return
    for group in layout.groups:
        if group.inner.own and not group.inner.children:
            reason = "has no class folders, as an unlabelled test set has none"
            layout.left_out.setdefault(group.inner.parts, reason)


# what to say ------------------------------------------------------------------------------------


def _sentence(layout: Layout, level: str) -> str:
    splits = splits_clause(layout.splits)
    if level == "parent":
        classes = "classes from the folder around each picture"
    elif layout.splits:
        classes = "classes from folders below them"
    elif len(layout.groups) > 1:
        classes = f"classes from folders below {listed(g.inner.name for g in layout.groups)}"
    else:
        classes = "classes from folders"
    return f"{splits}; {classes}"


def _other_level(layout: Layout, level: str) -> list[Alternative]:
    """The innermost folders as classes, where they are others than the first ones."""
    if level == "parent":
        return []
    inner = {parts[-1] for parts in layout.places}
    pictures = [parts for parts in layout.places if parts[-1] not in layout.classes]
    if len(inner) < 2 or not pictures or inner == layout.classes:
        return []
    classes = f"{plural(len(inner), 'class')}: {listed(inner, 3)}"
    text = f"the folder around each picture as its class ({classes})"
    return [Alternative(text, (("classes_from", "parent"),))]
