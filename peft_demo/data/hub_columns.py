"""Columns of a Hub dataset: which one holds the pictures, which one the classes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..contracts.cards import Alternative
from ..contracts.errors import BadData
from .labels import Verdict, best_columns, class_name, judge, name_score, refusals
from .names import listed, plural

IMAGE_NAMES = ("image", "img", "images", "picture", "photo", "pixel_values", "jpg", "png", "webp")
_LABELLED = 300.0
"""What a column of named classes counts beside what its name says."""

Peek = Callable[[Sequence[str]], Mapping[str, Sequence[Any]]]
"""Column names → the cells of the first rows of these columns."""


@dataclass(frozen=True)
class Labels:
    """The column of classes. `names` are those of the dataset itself, None where it has none."""

    column: str
    names: tuple[str, ...] | None = None
    alternatives: tuple[Alternative, ...] = ()
    doubt: str = ""

    def of(self, cell: Any) -> str | None:
        """The class in a cell, None where there is none: unlabelled test rows carry -1."""
        if self.names is None:
            return class_name(cell)
        if isinstance(cell, list | tuple):
            cell = cell[0] if len(cell) == 1 else None
        known = isinstance(cell, int) and 0 <= cell < len(self.names)
        return self.names[cell] if known else None


def image_column(chosen: str, features: Mapping[str, Any]) -> str:
    """The column of pictures; `BadData` if there is none, or none of the name that was chosen."""
    if chosen:
        return _known(chosen, features)
    best = max(features, key=lambda name: _image_score(name, features[name]))
    if not _image_score(best, features[best]):
        raise BadData(f"no column of pictures was found; the columns are {', '.join(features)}.")
    return best


def label_column(chosen: str, features: Mapping[str, Any], image: str, peek: Peek) -> Labels:
    """The column of classes, by its type, its name and how many values it has in some rows.

    Raises `BadData` if there is none, or for a chosen one that cannot be.
    """
    rest = [name for name in features if name != image]
    if chosen:
        name = _known(chosen, features)
        verdict = _judged([name], features, peek)[0]
        if verdict.reason and not verdict.classes:
            raise BadData(
                f"the column {name!r} {verdict.reason}.",
                "A picture takes one label here; name another with --label-column.",
            )
        return Labels(name, class_names(features[name]))
    verdicts = _judged([name for name in rest if not _is_image(features[name])], features, peek)
    best = best_columns(verdicts)
    if not best:
        detail = f" {refusals(verdicts)}." if verdicts else ""
        raise BadData(
            f"no column of labels was found.{detail}",
            f"Name one with --label-column; the columns are {', '.join(features)}.",
        )
    others = tuple(_alternative(verdict) for verdict in best[1:4])
    unsure = len(best) > 1 and not best[0].named
    names = listed(verdict.column for verdict in best)
    doubt = f"The columns {names} may all be the classes." if unsure else ""
    return Labels(best[0].column, class_names(features[best[0].column]), others, doubt)


def _known(name: str, features: Mapping[str, Any]) -> str:
    if name not in features:
        raise BadData(f"no column {name!r};", f"the columns are {', '.join(features)}.")
    return name


def _alternative(verdict: Verdict) -> Alternative:
    classes = plural(verdict.classes, "class") if verdict.classes else "classes"
    text = f"{classes} from column {verdict.column!r}"
    return Alternative(text, (("label_column", verdict.column),))


def class_names(feature: Any) -> tuple[str, ...] | None:
    """Names of the classes of a column, also where each cell is a list of them; None if it has
    none."""
    inner = getattr(feature, "feature", feature)
    names = getattr(inner, "names", None)
    return tuple(names) if names else None


def _judged(columns: Sequence[str], features: Mapping[str, Any], peek: Peek) -> list[Verdict]:
    """What each column is good for. Rows are only looked at where types do not tell."""
    labelled = [name for name in columns if _is_class_label(features[name])]
    sure = [name for name in labelled if name_score(name) >= 0]
    if sure:
        return [Verdict(name, _LABELLED + name_score(name)) for name in sure]
    cells = peek(columns)
    verdicts = []
    for name in columns:
        verdict = judge(name, cells[name])
        if (
            verdict.classes == 1 and name_score(name) > 0
        ):  # rows sorted by class: the first are alike
            verdict = Verdict(name, name_score(name))
        if name in labelled:
            verdict = replace(verdict, score=_LABELLED + name_score(name), reason="")
        verdicts.append(verdict)
    return verdicts


def _is_class_label(feature: Any) -> bool:
    return type(feature).__name__ == "ClassLabel"


def _is_image(feature: Any) -> bool:
    return _image_score("", feature) > 0


def _image_score(name: str, feature: Any) -> int:
    """How much this looks like the column of pictures, 0 if not at all."""
    if type(feature).__name__ == "Image":
        return 3
    if isinstance(feature, Mapping):
        holds_bytes = "bytes" in feature
    else:
        holds_bytes = getattr(feature, "dtype", "") == "binary"
    if not holds_bytes:
        return 0
    return 2 if name.lower() in IMAGE_NAMES else 1
