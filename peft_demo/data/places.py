"""What folders mean: where their pictures belong, and what is left out."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..contracts.cards import Alternative
from .folders import Folder
from .listing import Parts

Choice = Mapping[str, str] | None
"""What a person says the splits are, name → part; {} for none, None where nothing was said."""


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
    """What the folders mean. `base` is the folder below which splits or classes stand."""

    base: Folder = field(default_factory=Folder)
    places: dict[Parts, Place] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)
    left_out: dict[Parts, str] = field(default_factory=dict)
    """Folder → why all in it is left out, as the rest of a sentence that begins with "it"."""
    sentence: str = ""
    alternatives: list[Alternative] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    """Sentences: what may have been meant otherwise."""
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

    def shown(self, parts: Parts) -> str:
        """A place as it is shown: without the folders that wrap everything."""
        wrapper = self.base.parts
        inside = parts[: len(wrapper)] == wrapper and len(parts) > len(wrapper)
        return "/".join(parts[len(wrapper) :] if inside else parts)
