"""Layouts that are not split/class/picture: splits below each class, split and class in one name,
folders that repeat the same classes."""

import re

from ..contracts.cards import Alternative
from .folders import Folder
from .names import listed
from .places import Group, Layout, Place
from .split_words import split_name
from .wording import splits_clause

_NUMBERED = re.compile(
    r"(fold|part|set|batch|session|group|cam|camera|site|source|subset|version|v|run|day|year|k|"
    r"domain|clip|video|seq|sequence|scene|take|subject|patient|person|p|s|id)?[-_ ]*(\d+|[a-e])"
)


def read_inverted(base: Folder, layout: Layout) -> bool:
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


def read_joined(base: Folder, layout: Layout) -> bool:
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


def read_alike(base: Folder, layout: Layout) -> list[Group]:
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
    layout.doubts.append(
        f"The folders {listed(names)} hold folders of the same names, {listed(shared)}: "
        "either level may be the classes."
    )
    text = f"train={names[0]},test={names[-1]}"
    layout.alternatives.append(
        Alternative(f"{names[0]!r} and {names[-1]!r} as splits", (("splits", text),))
    )
    if not numbered and len(shared) <= len(children):
        return []
    layout.alternatives.append(
        Alternative(f"classes {listed(names)}, the first folders", (("classes_from", "folder"),))
    )
    return [Group(child, "", "") for child in children]
