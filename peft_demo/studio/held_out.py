"""The held-out pictures of a run, in its folder: `held_out.json`, written once, at its end.

They stay with the run and never go into the adapter's file, which people share.
"""

import json
from base64 import b64decode, b64encode
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ..contracts.adapter_card import AdapterCard
from ..contracts.cards import Sample
from ..contracts.held_out import HeldOut, HeldOutAnswer
from ..storage.atomic import write_file
from ..storage.paths import is_file
from .runs import Runs

FILE = "held_out.json"


def write(folder: Path, event: HeldOut) -> None:
    """Keeps the pictures and answers in the run's folder, whole or not at all; `CannotWrite`."""
    answers = [
        {**asdict(answer), "picture": b64encode(answer.picture).decode()}
        for answer in event.answers
    ]
    values = {"part": event.part, "split": event.split, "answers": answers}
    write_file(folder / FILE, json.dumps(values).encode())


def read(folder: Path) -> HeldOut | None:
    """What `write` kept there; None where it kept nothing, as in runs of earlier versions."""
    file = folder / FILE
    if not is_file(file):
        return None
    try:
        values = json.loads(file.read_bytes())
        answers = tuple(_answer(**answer) for answer in values["answers"])
        return HeldOut(str(values["part"]), str(values["split"]), answers)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _answer(image: int, label: int, answer: int, probability: float, picture: str) -> HeldOutAnswer:
    content = b64decode(picture, validate=True)
    return HeldOutAnswer(int(image), int(label), int(answer), float(probability), content)


def samples_of(runs: Runs, id: str, card: AdapterCard) -> Sequence[Sample]:
    """The held-out pictures of the run that made the adapter `id`, nothing if there is none
    here."""
    record = runs.maker(id, card)
    event = read(record.folder) if record else None
    if event is None or event.split != card.split:
        return ()
    return _samples(event, card.classes)


def samples_with(folder: Path, classes: Sequence[str]) -> Sequence[Sample]:
    """The held-out pictures in the run's folder, with these names of the classes."""
    event = read(folder)
    return _samples(event, classes) if event else ()


def _samples(event: HeldOut, classes: Sequence[str]) -> Sequence[Sample]:
    """With the names that the classes have now: they may have been renamed."""
    known = range(len(classes))
    return tuple(
        Sample(classes[a.label], a.picture, classes[a.answer], a.probability)
        for a in event.answers
        if a.label in known and a.answer in known
    )
