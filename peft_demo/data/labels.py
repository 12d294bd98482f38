"""Columns of labels, of a table or a Hub dataset: which one holds the classes, and the class in a
cell."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from .formats import INTENDED, PICTURES, suffix
from .split_words import split_name

LABEL_NAMES = (
    "label", "labels", "class", "class_name", "classname", "category", "target", "fine_label",
    "label_name", "cls", "species", "breed", "diagnosis", "dx", "disease", "condition", "type",
    "kind", "variety", "genus", "family", "name", "tag", "answer", "y", "coarse_label", "class_id",
    "label_id", "category_id",
)  # fmt: skip
"""What columns of classes are called, the usual names first."""
_NOT_LABELS = {
    "id", "idx", "index", "image_id", "img_id", "uuid", "width", "height", "w", "h", "x", "y",
    "xmin", "xmax", "ymin", "ymax", "x1", "x2", "y1", "y2", "bbox", "age", "fold", "split", "set",
    "subset", "partition", "phase", "is_train", "is_test", "is_training_img", "url", "source",
    "license", "licence", "date", "time", "path", "file", "filename", "file_name", "image", "img",
    "confidence", "score", "md5", "sha256", "hash", "size", "caption", "text", "description",
}  # fmt: skip
_MISSING = {"", "nan", "na", "n/a", "<na>", "#n/a", "null"}
"""What programs write where there is no label."""
MANY = 0.5
"""A column with more distinct values than this share of its rows identifies pictures and does not
sort them."""


@dataclass(frozen=True)
class Verdict:
    """What a column is good for as labels. `reason` says why it cannot be, empty if it can."""

    column: str
    score: float
    classes: int = 0
    reason: str = ""

    @property
    def named(self) -> bool:
        """Whether its name says that it holds labels."""
        return self.score >= 50


def judge(column: str, values: Sequence[Any]) -> Verdict:
    """How much this looks like a column of classes, by its name and by values of some rows."""
    present = [value for value in values if not _is_missing(value)]
    reason, names = _class_names(present)
    if reason:
        return Verdict(column, 0.0, reason=reason)
    distinct = len(set(names))
    if distinct < 2:
        return Verdict(column, 0.0, distinct, "has one value only")
    if distinct > max(2, MANY * len(names)):
        return Verdict(column, 0.0, distinct, "has another value in nearly every row")
    return Verdict(column, name_score(column) + _value_score(names, distinct), distinct)


def _is_missing(value: Any) -> bool:
    return value is None or (isinstance(value, str) and value.strip().lower() in _MISSING)


def _class_names(values: Sequence[Any]) -> tuple[str, list[str]]:
    """(why these are no classes, their names)"""
    if not values:
        return "is empty", []
    if all(isinstance(value, str) for value in values):
        return _of_texts(values)
    if any(isinstance(value, list | tuple) for value in values):
        return _of_lists([v if isinstance(v, list | tuple) else [v] for v in values])
    if any(isinstance(value, Mapping | bytes) for value in values):
        return "holds records", []
    names = [class_name(value) for value in values]
    if None in names:
        return "holds fractions, which are no classes", []
    return "", [name for name in names if name is not None]


def _of_texts(values: Sequence[str]) -> tuple[str, list[str]]:
    files = sum(suffix(value) in PICTURES | INTENDED for value in values)
    if 2 * files > len(values):
        return "holds names of files", []
    if _is_fractions(values):
        return "holds fractions, which are no classes", []
    if any(_several(values, separator) for separator in "|;, "):
        return "holds several labels for one picture", []
    return "", [class_name(value) or "" for value in values]


def _is_fractions(values: Sequence[str]) -> bool:
    """Whether these are numbers in words, and not whole ones: "0.37"."""
    try:
        numbers = [float(value) for value in values]
    except ValueError:
        return False
    return not all(isfinite(number) and number == round(number) for number in numbers)


def _several(values: Sequence[str], separator: str) -> bool:
    """Whether cells hold several labels: the same pieces stand in different cells.

    Commas and spaces are in names too, so there the pieces must be far fewer than the cells.
    """
    joined = sum(separator in value for value in values)
    if 5 * joined <= len(values):
        return False
    distinct = set(values)
    pieces = Counter(p.strip() for value in distinct for p in set(value.split(separator)))
    if separator in "|;":
        return len(pieces) < pieces.total()
    return 2 * len(pieces) < len(distinct)


def _of_lists(values: Sequence[Sequence[Any]]) -> tuple[str, list[str]]:
    if is_one_hot(values):
        return "", [class_name(value) or "" for value in values]
    if all(len(value) == 1 for value in values):
        return "", [class_name(value[0]) or "" for value in values]
    return "holds several labels for one picture", []


def is_one_hot(values: Sequence[Sequence[Any]]) -> bool:
    """Whether each of these lists of zeros holds a single one, all at the same length."""
    if len({len(value) for value in values}) != 1 or len(values[0]) < 2:
        return False
    return all(set(value) <= {0, 1} and sum(value) == 1 for value in values if _numbers(value))


def _numbers(value: Sequence[Any]) -> bool:
    return all(isinstance(item, int | float) for item in value)


def class_name(value: Any) -> str | None:
    """The class in a cell, None where there is none. Lists hold one label, or a single one among
    zeros."""
    if isinstance(value, list | tuple):
        if len(value) == 1:
            return class_name(value[0])
        return str(list(value).index(1)) if _numbers(value) and 1 in value else None
    if isinstance(value, float):
        return str(int(value)) if isfinite(value) and value == round(value) else None
    text = "" if value is None else str(value).strip()
    if text.lower() in _MISSING:
        return None
    if re.fullmatch(r"-?\d+\.0+", text):  # whole numbers beside a gap, as pandas writes them
        text = text.partition(".")[0]
    return text[:255] or None


def name_score(column: str) -> float:
    """How much a column's name says that it holds classes; negative if it says that it does not."""
    name = column.strip().lower().replace(" ", "_").replace("-", "_")
    if name in LABEL_NAMES:
        return 200.0 - LABEL_NAMES.index(name)
    if name in _NOT_LABELS or split_name(column):
        return -60.0
    words = set(name.split("_"))
    if words & _NOT_LABELS - {"y", "text"}:
        return -40.0
    return 60.0 if words & set(LABEL_NAMES[:20]) else 0.0


def _value_score(names: Sequence[str], distinct: int) -> float:
    """Words count more than numbers, few classes more than many."""
    words = 20.0 if any(not name.lstrip("-").isdigit() for name in names) else 10.0
    return words + 5.0 * (1 - distinct / max(1, len(names)))


def best_columns(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """The columns that may hold classes, the likeliest first."""
    fit = [verdict for verdict in verdicts if not verdict.reason and verdict.score > 0]
    return sorted(fit, key=lambda verdict: -verdict.score)


def refusals(verdicts: Sequence[Verdict]) -> str:
    """Why each of these columns is no column of classes, for a sentence."""
    return "; ".join(f"{v.column!r} {v.reason or 'does not sort the pictures'}" for v in verdicts)
