"""Tables that give a label to whole folders: patients.csv beside patient_01/, patient_02/."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ..contracts.cards import Alternative
from .labels import best_columns, class_name, judge
from .names import listed, plural
from .picture_index import path_of
from .tables import Table

SHARED_FOLDERS = (
    "The labels are those of whole folders, and pictures of one folder may train and test. If a "
    "folder is one patient or place, accuracy will look better than it is for new ones."
)


@dataclass(frozen=True)
class FolderLabels:
    """What a table says of class folders."""

    table: Table
    folder_column: str
    label_column: str
    labels: dict[str, str]
    """Name of the folder in lower case → its label."""

    @property
    def classes(self) -> set[str]:
        """The labels that there are."""
        return set(self.labels.values())

    @property
    def sentence(self) -> str:
        """How the set is read by it, in one line."""
        return f"classes from column {self.label_column!r} of {self.table.name}, by folder"

    @property
    def doubt(self) -> str:
        """That folders which are read as classes have labels."""
        return (
            f"{self.table.name} gives a label to each folder (column {self.label_column!r}: "
            f"{listed(self.classes, 3)}), and the folders are read as classes."
        )

    @property
    def alternative(self) -> Alternative:
        """How to read the set by it."""
        text = f"{self.sentence} ({plural(len(self.classes), 'class')})"
        return Alternative(text, (("labels", self.table.name),))


def find_folder_labels(
    tables: Sequence[Table], folders: set[str], label_column: str = ""
) -> FolderLabels | None:
    """The first table that names most of these folders and sorts them into fewer classes.

    `label_column` is the column of classes that a person named.
    """
    names = {name.lower() for name in folders}
    for table in tables:
        for column in table.columns:
            found = _read(table, column, names, label_column)
            if found:
                return found
    return None


def _read(table: Table, column: str, folders: set[str], chosen: str) -> FolderLabels | None:
    """The labels of the folders that this column names, None if it names too few."""
    cells = [_last_name(cell) for cell in table.values(column)]
    if 2 * len(folders.intersection(cells)) <= len(folders):
        return None
    label_column = chosen or _label_column(table, column)
    if label_column not in table.columns or label_column == column:
        return None
    said: defaultdict[str, set[str]] = defaultdict(set)
    for name, value in zip(cells, table.values(label_column), strict=True):
        label = class_name(value)
        if name in folders and label:
            said[name].add(label)
    labels = {name: next(iter(given)) for name, given in said.items() if len(given) == 1}
    found = FolderLabels(table, column, label_column, labels)
    enough = 2 * len(labels) > len(folders)
    return found if enough and 2 <= len(found.classes) < len(labels) else None


def _last_name(cell: object) -> str:
    """The folder that a cell means: "patient_01" of "train/patient_01/"."""
    return (path_of(cell) or [""])[-1]


def _label_column(table: Table, folders: str) -> str:
    """The likeliest column of classes, "" if there is none."""
    others = [name for name in table.columns if name != folders]
    best = best_columns([judge(name, table.values(name)) for name in others])
    return best[0].column if best else ""
