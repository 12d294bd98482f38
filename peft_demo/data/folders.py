"""The folders that hold pictures, as a tree."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .listing import Parts


@dataclass
class Folder:
    """A folder on the way to pictures. `own` of them lie directly in it."""

    parts: Parts = ()
    own: int = 0
    children: dict[str, Folder] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The last part of its place."""
        return self.parts[-1] if self.parts else ""

    @property
    def total(self) -> int:
        """Pictures in it and below."""
        return sum(folder.own for folder in self.walk())

    @property
    def depth(self) -> int:
        """How many parts its place has."""
        return len(self.parts)

    def walk(self) -> Iterator[Folder]:
        """Itself and all folders below that hold pictures."""
        if self.own:
            yield self
        for child in self.children.values():
            yield from child.walk()

    def without(self, names: set[str]) -> list[Folder]:
        """The children that are not called so."""
        return [child for name, child in self.children.items() if name not in names]


def folder_tree(counts: Mapping[Parts, int]) -> Folder:
    """The tree of folders that hold so many pictures each."""
    root = Folder()
    for parts, count in sorted(counts.items()):
        folder = root
        for depth, name in enumerate(parts, 1):
            folder = folder.children.setdefault(name, Folder(parts[:depth]))
        folder.own = count
    return root
