"""What a benchmark is: tasks with fixed classes and official lists of pictures."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import import_module
from pathlib import Path

from ...contracts.data_spec import DataSpec
from ...contracts.errors import BadData, UnknownName
from ...data import Example
from ...data.images import read_file
from ...data.sources import leads_out, parts_of

ALL = 10_000
"""Shots of a spec that takes every image of its lists."""


@dataclass(frozen=True)
class Task:
    """A task as it was published."""

    name: str
    group: str
    classes: int
    """Fixed: a class may be missing from the training images."""
    sizes: Mapping[str, int]
    """Pictures of each list."""
    folders: tuple[str, ...] = ()
    """Other names of its folder."""


@dataclass(frozen=True)
class Benchmark:
    """Tasks in the order in which the field prints them, and how they lie on disk."""

    name: str
    title: str
    tasks: tuple[Task, ...]
    tuning: str
    """Lists of the runs that choose, as `DataSpec.splits` has them."""
    testing: str
    """Lists of the runs that are tested."""
    read: Callable[[Path, Task, str], list[Example]]
    """The pictures of a list of the task in this folder. Raises `BadData`."""
    marker: str
    """A file that every task's folder has."""
    margin: float = 1.0
    """Side at which pictures are kept, over the side of the images: what is beyond is cut off."""

    @property
    def groups(self) -> dict[str, list[str]]:
        """Names of the tasks of each group."""
        groups: dict[str, list[str]] = {}
        for task in self.tasks:
            groups.setdefault(task.group, []).append(task.name)
        return groups

    def chosen(self, words: str) -> list[Task]:
        """The tasks that a comma-separated list of tasks, groups or "all" names, in their order.

        Raises `UnknownName`.
        """
        known = {task.name: {task.name} for task in self.tasks}
        known |= {group: set(names) for group, names in self.groups.items()}
        known["all"] = {task.name for task in self.tasks}
        names: set[str] = set()
        for word in filter(None, (word.strip() for word in words.split(","))):
            if word not in known:
                raise UnknownName("task", word, known)
            names |= known[word]
        return [task for task in self.tasks if task.name in names]

    def folder(self, root: Path, task: Task) -> Path:
        """Where the task lies below `root`, or in a folder of it; `BadData` if it is not there."""
        names = (task.name, *task.folders)
        for base in (root, *sorted(path for path in root.glob("*") if path.is_dir())):
            for name in names:
                if (base / name / self.marker).is_file():
                    return base / name
        raise BadData(
            f"there is no {names[0]}/{self.marker} below {root.name!r}.",
            f"--root is the folder that holds the tasks of {self.title}; --tasks leaves some out.",
        )

    def task_of(self, folder: Path) -> Task:
        """The task whose folder this is."""
        return next(task for task in self.tasks if folder.name in (task.name, *task.folders))

    def spec(self, root: Path, task: Task, splits: str, seed: int) -> DataSpec:
        """The task's images as a run's spec says them: its folder, and which lists are what."""
        folder = self.folder(root, task).absolute()
        return DataSpec("folder", str(folder), ALL, seed, splits=splits)


def find_benchmark(name: str) -> Benchmark:
    """The benchmark of this name: "vtab" or "fgvc"."""
    return getattr(import_module(f"{__package__}.{name}"), name.upper())


def examples(folder: Path, task: Task, part: str, rows: Sequence[tuple[str, int]]) -> list[Example]:
    """(path below the folder, label) as examples; `BadData` for a label that the task lacks, and a
    path that leads out of the folder."""
    for path, label in rows:
        if leads_out(parts_of(path)):
            raise BadData(f"{task.name}: {path!r:.80} in {part} leads out of the task's folder.")
        if not 0 <= label < task.classes:
            raise BadData(
                f"{task.name}: {path} has class {label}, and the task has {task.classes} classes."
            )
    return [
        Example(label, part, f"{task.name}/{path}", partial(read_file, folder / path))
        for path, label in rows
    ]
