"""Pictures that a person moved to another class or left out; see `contracts.corrections`."""

from collections.abc import Mapping
from dataclasses import replace

from ..contracts.corrections import DIGITS
from ..contracts.errors import BadImage, BadValue
from .dataset import Dataset, Example


def key(example: Example) -> str:
    """By what a correction names this picture."""
    return example.digest[:DIGITS]


def corrected(dataset: Dataset, corrections: Mapping[str, str]) -> Dataset:
    """The dataset with every correction made, copies of a picture included; all files are read.

    Raises `BadValue` for a class that the dataset does not have. A picture that is not there any
    more is told in a notice.
    """
    if not corrections:
        return dataset
    numbers = _numbers(dataset.classes, corrections)
    examples: list[Example] = []
    missing = set(corrections)
    for example in dataset.examples:
        found = _key(example)
        missing.discard(found)
        label = corrections.get(found)
        if label is None:
            examples.append(example)
        elif label:
            examples.append(replace(example, label=numbers[label]))
    return replace(
        dataset,
        examples=tuple(examples),
        notices=(*dataset.notices, _notice(len(corrections), len(missing))),
    )


def _key(example: Example) -> str:
    try:
        return key(example)
    except BadImage:
        return ""


def _numbers(classes: tuple[str, ...], corrections: Mapping[str, str]) -> dict[str, int]:
    numbers = {name: number for number, name in enumerate(classes)}
    unknown = sorted({label for label in corrections.values() if label} - numbers.keys())
    if unknown:
        raise BadValue(
            f"a picture cannot be moved to {unknown[0]!r:.80}: there is no such class.",
            f"Classes here: {', '.join(classes)[:200]}.",
        )
    return numbers


def _notice(made: int, missing: int) -> str:
    words = f"{made} picture{'s' if made > 1 else ''} corrected by hand."
    return f"{words} {missing} of them not found." if missing else words
