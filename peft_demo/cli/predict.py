"""`predict`: what an adapter says of pictures. One that cannot be read stops no other."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer import Argument, Option

from ..contracts.cards import Prediction
from ..contracts.errors import BadImage, CannotWrite
from ..contracts.text import percent
from ..storage.atomic import disk_errors, write_file
from .interrupt import FirstInterrupt
from .options import Adapter, Json, Offline, Zoo
from .progress import Progress
from .services import open_studio
from .terminal import INTERRUPTED, print_answer, table

if TYPE_CHECKING:
    from ..data import NamedPicture
    from ..studio import Studio

NOTHING_ANSWERED = 1
"""The exit code where no picture has an answer."""
TABLES = (".csv", ".tsv", ".txt")
"""What a file may end in that `--csv` writes anew."""


@dataclass(frozen=True)
class Answer:
    """What an adapter says of a picture; a `refusal` in it says why there is no answer."""

    picture: str
    prediction: Prediction


def predict(
    adapter: Adapter,
    images: Annotated[
        list[str],
        Argument(metavar="IMAGE...", help="Pictures, folders, zips, or patterns ('*.jpg')."),
    ],
    top: Annotated[int, Option(metavar="N", min=1, help="How many classes to name.")] = 5,
    csv_file: Annotated[
        Path | None, Option("--csv", metavar="FILE", help="Write the answers as a table.")
    ] = None,
    zoo: Zoo = None,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Say what is on pictures. Exit code 1 if none can be answered."""
    if csv_file:
        _check_writable(csv_file)
    answers: list[Answer] = []
    with open_studio(zoo, offline) as studio, Progress() as progress, FirstInterrupt() as interrupt:
        id = studio.zoo.find(adapter)
        pictures = studio.data.pictures(images)
        for picture in pictures:
            if interrupt.came:
                break
            if len(pictures) > 1:
                progress.report("classifying", len(answers) / len(pictures))
            answers.append(_answer(studio, picture, id, top))
    if csv_file:
        write_file(csv_file, _as_csv(answers, top).encode())
    print_answer([_value(answer) for answer in answers], _lines(answers, csv_file), as_json)
    if interrupt.came:
        raise typer.Exit(INTERRUPTED)
    if all(answer.prediction.refusal for answer in answers):
        raise typer.Exit(NOTHING_ANSWERED)


def _check_writable(file: Path) -> None:
    """`CannotWrite` before anything is answered, not after; also where there is a file that is no
    table: `--csv *.jpg` would replace a photo."""
    if file.is_file() and file.stat().st_size and file.suffix.lower() not in TABLES:
        raise CannotWrite(
            f"{file.name} is there already, is no table and is left as it is.",
            "Name a file that ends in .csv.",
        )
    with disk_errors(file):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("a").close()


def _answer(studio: "Studio", picture: "NamedPicture", id: str, top: int) -> Answer:
    try:
        (prediction,) = studio.answers.classify(picture.read(), [id], top)
    except BadImage as error:
        prediction = Prediction(id, (), 0.0, refusal=str(error))
    return Answer(picture.name, prediction)


def _value(answer: Answer) -> dict[str, Any]:
    prediction = answer.prediction
    answered = not prediction.refusal
    return {
        "image": answer.picture,
        **vars(prediction),
        "label": prediction.label if answered else None,
        "probability": prediction.probability if answered else None,
    }


def _lines(answers: Sequence[Answer], csv_file: Path | None) -> list[str]:
    """The answers as a table; with `--csv`, where they are and how many could not be given."""
    if csv_file is None:
        return table(_row(answer) for answer in answers)
    refused = [answer for answer in answers if answer.prediction.refusal]
    lines = [f"{answer.picture}: {answer.prediction.refusal}" for answer in refused]
    count = f"{len(answers):,} picture{'' if len(answers) == 1 else 's'}"
    return [*lines, f"{csv_file}: {count}, {len(refused)} without an answer"]


def _row(answer: Answer) -> tuple[str, ...]:
    prediction = answer.prediction
    if prediction.refusal:
        return answer.picture, "no answer", "", "", prediction.refusal
    probability = percent(prediction.probability)
    return answer.picture, prediction.label, probability, f"{prediction.ms:.1f} ms", ""


def _as_csv(answers: Sequence[Answer], top: int) -> str:
    """A line for each picture: file, answer, probability, the next likely classes, reason.

    Every line has as many columns as there are classes, `top` of them at most.
    """
    places = max((len(answer.prediction.top) for answer in answers), default=0) or top
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["file", *_column_names(places), "reason"])
    for answer in answers:
        cells = list(_cells(answer.prediction))
        cells += [""] * (2 * places - len(cells))
        writer.writerow([answer.picture, *cells, answer.prediction.refusal])
    return _printable(text.getvalue())


def _column_names(places: int) -> list[str]:
    """answer, probability, answer 2, probability 2, ..."""
    names = ["answer", "probability"]
    for place in range(2, places + 1):
        names += [f"answer {place}", f"probability {place}"]
    return names


def _cells(prediction: Prediction) -> Iterator[str]:
    for label, probability in prediction.top:
        yield label
        yield f"{probability:.6f}"


def _printable(text: str) -> str:
    """File names may hold bytes that are no text: these become escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
