"""Which folders are splits: train, val and test under all their names."""

from collections.abc import Collection, Mapping

from ..contracts.cards import Alternative
from ..contracts.data_spec import PARTS
from .folders import Folder
from .names import listed
from .places import Choice, Group, Layout
from .split_words import GENERIC, SplitName, split_name


def find_groups(base: Folder, layout: Layout, choice: Choice) -> list[Group]:
    """The splits among the children of `base`; none where these are classes."""
    if choice is not None:
        said = {n: choice[n.lower()] for n in base.children if n.lower() in choice}
    else:
        said = _said_splits(base, layout)
        if said and "train" not in said.values() and (unnamed := _unnamed_train(said, base)):
            said[unnamed] = "train"
    groups = [Group(_inner(base.children[name], base), part, name) for name, part in said.items()]
    if groups:
        _leave_others_out(base, said, layout)
        _offer_train(said, layout)
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
        sure = sure or ("train" not in parts and bool(_unnamed_train(names, base)))
    if sure:
        return {name: said.part for name, said in names.items()}
    _doubt_splits(names, base, layout)
    return {}


def _drop_unions(names: dict[str, SplitName], base: Folder, layout: Layout) -> None:
    """Leaves "trainval" out where there is a "train" of its own."""
    single = {said.part for said in names.values() if not said.union}
    for name in [n for n, said in names.items() if said.union and said.part in single]:
        layout.left_out[base.children[name].parts] = "repeats the splits beside it"
        del names[name]


def _doubt_splits(names: Mapping[str, SplitName], base: Folder, layout: Layout) -> None:
    """Says which classes are called like splits, and offers to read them as such."""
    doubtful = {
        name: said.part
        for name, said in names.items()
        if base.children[name].children or not said.rest
    }
    if not doubtful:
        return
    one = f"The folder {listed(doubtful)} looks like a split and is read as a class."
    several = f"The folders {listed(doubtful)} look like splits and are read as classes."
    layout.doubts.append(one if len(doubtful) == 1 else several)
    known = {name: part for name, part in doubtful.items() if part != "unlabelled"}
    if known:
        text = f"{listed(known)} read as a split, with classes below"
        layout.alternatives.append(Alternative(text, (("splits", _as_choice(known)),)))


def _unnamed_train(said: Collection[str], base: Folder) -> str:
    """The one folder beside val and test that holds the same class folders, whatever it is called:
    "entrainement". "" if there is none."""
    classes = {name for split in said for name in base.children[split].children}
    alike = [c.name for c in base.without(set(said)) if len(classes & set(c.children)) >= 2]
    return alike[0] if len(alike) == 1 else ""


def _offer_train(said: Mapping[str, str], layout: Layout) -> None:
    """Offers another split to train on where there is none called so."""
    if "train" in said.values():
        return
    first = next((name for name, part in said.items() if part == "val"), next(iter(said)))
    choice = _as_choice({**said, first: "train"})
    text = f"{first!r} as the training images"
    layout.alternatives.append(Alternative(text, (("splits", choice),)))


def _as_choice(parts: Mapping[str, str]) -> str:
    """As `--splits` takes it: "train=a+b,test=c"."""
    names = {part: [n for n, p in parts.items() if p == part] for part in PARTS}
    return ",".join(f"{part}={'+'.join(found)}" for part, found in names.items() if found)


def _leave_others_out(base: Folder, said: Mapping[str, str], layout: Layout) -> None:
    """Notes why the children beside the splits are not used."""
    inside = {name for split in said for name in base.children[split].children}
    for child in base.without(set(said)):
        below = {name for folder in [child, *child.children.values()] for name in folder.children}
        again = below & (inside | set(said))
        reason = "holds the same folders again: a copy of the set"
        reason = reason if len(again) >= 2 else "lies beside the splits"
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
