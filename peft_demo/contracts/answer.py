"""Pictures that have a name, and what an adapter says of each, also as a table."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from .cards import Prediction
from .spreadsheet import csv_text


@dataclass(frozen=True)
class NamedPicture:
    """A file that should be a picture. Nothing of it has been read."""

    name: str
    """Its path as a person knows it; of a folder or an archive with the place inside."""
    read: Callable[[], bytes]
    """All of it. `BadImage` says why it cannot be read."""


@dataclass(frozen=True)
class Answer:
    """What an adapter says of a picture; a `refusal` in it says why there is no answer."""

    picture: str
    """Its name."""
    prediction: Prediction
    thumbnail: bytes = b""
    """A small JPEG, empty where none was asked for or the picture cannot be read."""


def as_csv(answers: Sequence[Answer]) -> str:
    """A line for each picture: file, answer, probability, the next likely classes, doubt (see
    `contracts.doubt`), none of these (yes, no), reason. The last three are empty where they do not
    apply.

    Every line has as many columns as the longest answer has classes, one at least.
    """
    places = max((len(answer.prediction.top) for answer in answers), default=0) or 1
    rows = [["file", *_column_names(places), "doubt", "none of these", "reason"]]
    for answer in answers:
        cells = list(_cells(answer.prediction))
        cells += [""] * (2 * places - len(cells))
        rows.append([answer.picture, *cells, *_doubt(answer.prediction), answer.prediction.refusal])
    return csv_text(rows)


def _column_names(places: int) -> list[str]:
    """answer, probability, answer 2, probability 2, ..."""
    names = ["answer", "probability"]
    for place in range(2, places + 1):
        names += [f"answer {place}", f"probability {place}"]
    return names


def _doubt(prediction: Prediction) -> list[str]:
    if prediction.doubt is None:
        return ["", ""]
    return [f"{prediction.doubt:.3f}", "yes" if prediction.is_none else "no"]


def _cells(prediction: Prediction) -> Iterator[str]:
    for label, probability in prediction.top:
        yield label
        yield f"{probability:.6f}"
