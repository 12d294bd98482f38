"""How folders are to be read: which one is a split, which one a class, which only wraps the rest.

    [wrapper/]  [train/ | val/ | test/  [wrapper/]]  class/  ... picture
    [wrapper/]  class/  train/ | test/  ... picture

What is none of these (a copy of the set, thumbnails, an unlabelled test set) is left out, and a
notice says so.
"""

import re
from collections.abc import Collection

from ..contracts.cards import Alternative
from .folder_splits import find_groups
from .folders import Folder
from .names import listed, plural
from .odd_layouts import read_alike, read_inverted, read_joined
from .places import Choice, Group, Layout, Place
from .split_words import GENERIC, LEFTOVERS
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
_PART_OF_A_SET = re.compile(
    r".*(fold|part|batch|split|chunk|shard|subset|session|images|imgs|archive)s?[-_ .]*\d+"
)


def read_layout(root: Folder, choice: Choice = None, level: str = "") -> Layout:
    """What the folders of the tree mean.

    `choice` says what the splits are (name → part, {} for none), `level` whether classes are the
    first folders ("folder") or those around the pictures ("parent"); where they are left out, this
    decides.
    """
    layout = Layout()
    layout.base = base = _unwrap(root, layout, choice)
    free = choice is None and not level
    if free and (read_inverted(base, layout) or read_joined(base, layout)):
        return layout
    groups = find_groups(base, layout, choice)
    if free and not groups:
        groups = read_alike(base, layout)
    layout.groups = groups or [Group(base)]
    for group in layout.groups:
        _place(group, layout, level)
    _leave_flat_out(layout)
    _doubt_names(layout)
    layout.sentence = _sentence(layout, level)
    layout.alternatives += _other_level(layout, level)
    return layout


# wrappers and what lies beside ------------------------------------------------------------------


def _unwrap(root: Folder, layout: Layout, choice: Choice) -> Folder:
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


# classes ----------------------------------------------------------------------------------------


def _place(group: Group, layout: Layout, level: str) -> None:
    """Gives each folder below the group its class."""
    if group.part == "unlabelled":
        layout.left_out[group.inner.parts] = "is called unlabelled"
        return
    _copies(group.inner, layout)
    kept = _without_aside(group.inner, layout)
    for child in kept:
        if child.parts in layout.left_out:
            continue
        _leave_aside_out(child, layout)
        for folder in child.walk():
            label = folder.name if level == "parent" else child.name
            if not layout.reason(folder.parts)[1]:
                layout.places[folder.parts] = Place(group.part, label)


def _leave_aside_out(folder: Folder, layout: Layout) -> None:
    """Leaves out masks and thumbnails beside the pictures of a class."""
    for child in folder.children.values():
        what = ASIDE.get(child.name.lower())
        if what and (folder.own or len(folder.children) > 1):
            layout.left_out[child.parts] = f"looks like a folder of {what}"
        else:
            _leave_aside_out(child, layout)


def _leave_flat_out(layout: Layout) -> None:
    """Leaves out splits without class folders where others have some: an unlabelled test set."""
    if not layout.places or len(layout.groups) < 2:
        return
    for group in layout.groups:
        if group.inner.own and not group.inner.children:
            reason = "has no class folders, as an unlabelled test set has none"
            layout.left_out.setdefault(group.inner.parts, reason)


def are_parts(names: Collection[str]) -> bool:
    """Whether these are names of the parts of one set: "images_001", "images_002"."""
    return len(names) > 1 and all(_PART_OF_A_SET.fullmatch(name.lower()) for name in names)


def _doubt_names(layout: Layout) -> None:
    """Says which classes are hardly meant as such: parts of one set, a folder of all pictures."""
    classes = layout.classes
    if are_parts(classes):
        layout.doubts.append(f"The folders {listed(classes)} look like parts of one set.")
    generic = {name for name in classes if name.lower() in GENERIC}
    if generic and len(classes) > 1:
        layout.doubts.append(
            f"The folder {listed(generic)} is read as a class beside {listed(classes - generic)}."
        )
    leftover = {name for name in classes if name.lower().strip(" _-") in LEFTOVERS}
    if leftover and len(classes) > 1 and not layout.doubts:
        meant = (
            "hardly means a class and is" if len(leftover) == 1 else "hardly mean classes and are"
        )
        layout.doubts.append(
            f"{listed(leftover)} {meant} read as such. What is no class belongs out of the set."
        )


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
