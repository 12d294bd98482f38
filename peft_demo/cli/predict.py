"""`predict`: what an adapter says of pictures. One that cannot be read stops no other."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from typer import Argument, Option

from ..contracts.answer import Answer, as_csv
from ..contracts.errors import CannotWrite
from ..contracts.text import percent
from ..storage.atomic import disk_errors, write_file
from .interrupt import FirstInterrupt
from .options import Adapter, Json, Offline, Zoo
from .progress import Progress
from .services import open_studio
from .terminal import INTERRUPTED, print_answer, table

NOTHING_ANSWERED = 1
"""The exit code where no picture has an answer."""
TABLES = (".csv", ".tsv", ".txt")
"""What a file may end in that `--csv` writes anew."""


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
        for answer in studio.answers.each(pictures, id, top):
            answers.append(answer)
            if interrupt.came:
                break
            if len(pictures) > 1:
                progress.report("classifying", len(answers) / len(pictures))
    if csv_file:
        write_file(csv_file, as_csv(answers).encode())
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


def _value(answer: Answer) -> dict[str, Any]:
    prediction = answer.prediction
    answered = not prediction.refusal
    return {
        "image": answer.picture,
        **vars(prediction),
        "label": prediction.label if answered else None,
        "probability": prediction.probability if answered else None,
        "none_of_these": prediction.is_none,
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
    label = prediction.label
    said = f"none of these, most like {label}" if prediction.is_none else label
    return answer.picture, said, probability, f"{prediction.ms:.1f} ms", ""
