"""How often an adapter is right, on images it has not learned from, and where it errs."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor

from ..contracts.adapter_card import AdapterCard
from ..contracts.doubt import LIMIT
from ..contracts.errors import BadData, BadImage
from ..contracts.paired import Paired
from ..contracts.progress import Report
from ..contracts.score import Score, ScoredPicture
from ..contracts.specs import DataSpec
from ..contracts.window import Window
from ..data import Dataset, Example, Split, decode, readable, split, stack, thumbnail
from ..vit import Backbone
from .attached import Answered, Attached
from .figures import figures
from .predict import check_finite

BATCH = 256
PICTURES = 240
"""That come with a score at most, where they are asked for."""
PER_CELL = 12
"""Of them, from one cell of the confusion matrix."""
PICTURE_SIDE = 128
"""Pixels of the longest edge of such a picture."""


class Answering(Protocol):
    """What can be asked: an adapter around its backbone, or several in one model."""

    @property
    def backbone(self) -> Backbone: ...

    @property
    def card(self) -> AdapterCard: ...

    def answer(self, images: Tensor) -> Answered:
        """What it says of uint8 images [N 3 S S]."""
        ...


@dataclass(frozen=True)
class Said:
    """What was said of examples. Tensors [N]; `truth` and `answers` are classes of the adapter."""

    examples: Sequence[Example]
    window: Window
    truth: Tensor
    probabilities: Tensor
    """Of each class, [N C]."""
    doubts: Tensor | None
    """Of each example, where the adapter can say."""

    @property
    def answers(self) -> Tensor:
        return self.probabilities.argmax(dim=1)

    @property
    def correct(self) -> Tensor:
        return self.truth == self.answers


def score(
    chosen: Attached, dataset: Dataset, report: Report | None = None, pictures: bool = False
) -> Score:
    """Accuracy on the dataset's given test images, or on all where it gives none.

    Images that the adapter was trained or validated on are left out. With `pictures` some of them
    come with the score.
    """
    examples = offered(dataset)
    fresh = never_seen(examples, chosen)
    said = ask_about(chosen, fresh, dataset, report)
    return _score(chosen, said, len(examples) - len(fresh), pictures)


def compared(
    first: Attached, second: Attached, dataset: Dataset, report: Report | None = None
) -> tuple[Score, Paired]:
    """The `score` of the first, and both on those of its images that the second has not seen."""
    examples = offered(dataset)
    fresh = never_seen(examples, first)
    said = ask_about(first, fresh, dataset, report)
    shared = never_seen(fresh, second)
    digests = {example.digest for example in shared}
    right = said.correct[torch.tensor([example.digest in digests for example in fresh])]
    other = ask_about(second, shared, dataset, report).correct
    pairs = paired(right, other)
    return _score(first, said, len(examples) - len(fresh), False), pairs


def said_by_all(
    members: Sequence[Attached], dataset: Dataset, report: Report | None = None
) -> tuple[list[Said], int]:
    """What each of them says of the images that none has learned from, and how many were left
    out.
    """
    examples = offered(dataset)
    fresh = examples
    for member in members:
        fresh = never_seen(fresh, member)
    said = [ask_about(member, fresh, dataset, report) for member in members]
    return said, len(examples) - len(fresh)


def paired(first: Tensor, second: Tensor) -> Paired:
    """Which images [N] both recognised, one of them alone, or neither."""
    return Paired.of(zip(first.tolist(), second.tolist(), strict=True))


def repeated(
    chosen: Answering,
    dataset: Dataset,
    data: DataSpec,
    report: Report | None = None,
    pictures: bool = False,
) -> Score:
    """As `score`, on the very test images of the adapter's run.

    Raises `BadData` if the dataset is not the same any more, or nothing was tested.
    """
    images = tested(chosen, again_split(chosen, dataset, data, report))
    numbers = torch.arange(len(dataset.classes))
    said = _ask(chosen, images, numbers, chosen.card.picture_window, report)
    return _score(chosen, said, 0, pictures)


def again_split(
    chosen: Answering, dataset: Dataset, data: DataSpec, report: Report | None = None
) -> Split:
    """The split of the adapter's own run; `BadData` if the dataset is not the same any more."""
    again = split(dataset, data.shots, data.seed, report)
    if again.fingerprint != chosen.card.split:
        raise BadData(
            f"the images of {dataset.title} are not those it was trained and tested on.",
            "They have changed since, or another browser has them: evaluate it on other data.",
        )
    return again


def tested(chosen: Answering, again: Split) -> Sequence[Example]:
    """The test images of the adapter's own run; `BadData` if nothing was tested."""
    # A run that went on from an adapter left out of the test what that one had seen.
    images = _unseen(chosen, again.test) if chosen.card.origin else again.test
    if not images:
        raise BadData("it was trained without test images.", "Evaluate it on other data.")
    return images


def _unseen(chosen: Answering, examples: Sequence[Example]) -> list[Example]:
    """The examples that the adapter was neither trained nor validated on."""
    seen = {digest[:12] for digest in chosen.card.seen}
    return [example for example in examples if example.digest[:12] not in seen]


def offered(dataset: Dataset) -> Sequence[Example]:
    """Its given test images, or all where it gives none; those that can be read."""
    test = [example for example in dataset.examples if example.part == "test"]
    examples, _ = readable(test or dataset.examples, dataset.most_pixels)
    return examples


def never_seen(examples: Sequence[Example], chosen: Attached) -> list[Example]:
    """Those that the adapter was neither trained nor validated on; `BadData` if there are none."""
    fresh = _unseen(chosen, examples)
    if not fresh:
        raise BadData(
            "there is no image here that the adapter has not been trained on.",
            "Add some it has not seen.",
        )
    return fresh


def ask_about(
    chosen: Answering, examples: Sequence[Example], dataset: Dataset, report: Report | None
) -> Said:
    """What is said of examples of a dataset of its classes."""
    used = {example.label for example in examples}
    numbers = as_trained(dataset.classes, chosen.card.classes, used)
    window = dataset.window.completed_by(chosen.card.picture_window)
    return _ask(chosen, examples, numbers, window, report)


def _ask(
    chosen: Answering,
    examples: Sequence[Example],
    numbers: Tensor,
    window: Window,
    report: Report | None,
) -> Said:
    """What it says. `numbers` are its classes by those of the dataset.

    One batch of images is in memory at a time.
    """
    labels = []
    probabilities = []
    doubts = []
    for done in range(0, len(examples), BATCH):
        if report:
            report("classifying", done / len(examples))
        batch = examples[done : done + BATCH]
        images, truth = stack(batch, chosen.backbone.size, window=window)
        said = chosen.answer(images)
        check_finite(said.probabilities)
        labels.append(numbers[truth])
        probabilities.append(said.probabilities)
        if said.doubts is not None:
            doubts.append(said.doubts)
    all_doubts = torch.cat(doubts) if doubts else None
    return Said(examples, window, torch.cat(labels), torch.cat(probabilities), all_doubts)


def _score(chosen: Answering, said: Said, left_out: int, pictures: bool) -> Score:
    names = chosen.card.classes
    values = figures(said.truth, said.probabilities, names)
    numbers = {entry.name: number for number, entry in enumerate(values["classes"])}
    return Score(
        accuracy=said.correct.float().mean().item(),
        images=len(said.truth),
        left_out=left_out,
        called_none=None if said.doubts is None else int((said.doubts > LIMIT).sum()),
        pictures=tuple(_pictures(said, [numbers.get(name, 0) for name in names]))
        if pictures
        else (),
        **values,
    )


def _pictures(said: Said, numbers: Sequence[int]) -> Iterator[ScoredPicture]:
    """Some pictures of every cell, mistakes and sure answers first; `numbers` are the classes of
    the score by those of the adapter."""
    facts = zip(
        said.examples,
        said.truth.tolist(),
        said.answers.tolist(),
        said.probabilities.amax(dim=1).tolist(),
        strict=True,
    )
    in_cell: Counter[tuple[int, int]] = Counter()
    shown = 0
    for example, label, answer, share in sorted(facts, key=lambda f: (f[1] == f[2], -f[3])):
        if shown == PICTURES or in_cell[label, answer] == PER_CELL:
            continue
        with suppress(BadImage):
            small = thumbnail(decode(example.read(), said.window), PICTURE_SIDE)
            yield ScoredPicture(numbers[label], numbers[answer], share, small)
            in_cell[label, answer] += 1
            shown += 1


def as_trained(names: Sequence[str], trained: Sequence[str], used: set[int]) -> Tensor:
    """Dataset class number → adapter class number, by name.

    Raises `BadData` if a class that occurs was not trained.
    """
    missing = [names[label] for label in sorted(used) if names[label] not in trained]
    if missing:
        unknown = f"the adapter does not know the class {missing[0]!r}"
        raise BadData(
            f"{unknown}; it knows {', '.join(trained[:20])}.",
            "Rename the class folders or the classes.",
        )
    return torch.tensor([trained.index(name) if name in trained else -1 for name in names])
