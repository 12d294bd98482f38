"""How often an adapter is right, on images it has not learned from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import inference
from ..contracts.cards import Score
from ..contracts.errors import BadData
from ..contracts.progress import Report
from ..contracts.specs import DataSpec
from ..contracts.window import Window
from ..data import Dataset, Example, readable, split, stack
from .predictor import Attached

BATCH = 256


def score(chosen: Attached, dataset: Dataset, report: Report | None = None) -> Score:
    """Accuracy on the dataset's given test images, or on all where it gives none.

    Images that the adapter was trained or validated on are left out.
    """
    test = [example for example in dataset.examples if example.part == "test"]
    examples, _ = readable(test or dataset.examples)
    fresh = _unseen(chosen, examples)
    if not fresh:
        raise BadData(
            "there is no image here that the adapter has not been trained on.",
            "Add some it has not seen.",
        )
    used = {example.label for example in fresh}
    numbers = _as_trained(dataset.classes, chosen.card.classes, used)
    window = dataset.window.completed_by(chosen.card.picture_window)
    truth, correct = _compare(chosen, fresh, numbers, window, report)
    per_class = []
    for label in sorted(used):
        of_class = correct[truth == label]
        per_class.append((dataset.classes[label], of_class.float().mean().item(), len(of_class)))
    left_out = len(examples) - len(fresh)
    return Score(correct.float().mean().item(), len(correct), left_out, tuple(per_class))


def repeated(
    chosen: Attached, dataset: Dataset, data: DataSpec, report: Report | None = None
) -> Score:
    """Accuracy on the very test images of the adapter's run.

    Raises `BadData` if the dataset is not the same any more.
    """
    again = split(dataset, data.shots, data.seed)
    if again.fingerprint != chosen.card.split:
        raise BadData(f"the images of {dataset.title} are not those it was trained and tested on.")
    numbers = torch.arange(len(dataset.classes))
    window = chosen.card.picture_window
    # A run that went on from an adapter left out of the test what that one had seen.
    tested = _unseen(chosen, again.test) if chosen.card.origin else again.test
    _, correct = _compare(chosen, tested, numbers, window, report)
    return Score(correct.float().mean().item(), len(correct), 0)


def _unseen(chosen: Attached, examples: Sequence[Example]) -> list[Example]:
    """The examples that the adapter was neither trained nor validated on."""
    seen = {digest[:12] for digest in chosen.card.seen}
    return [example for example in examples if example.digest[:12] not in seen]


def _compare(
    chosen: Attached,
    examples: Sequence[Example],
    numbers: Tensor,
    window: Window,
    report: Report | None,
) -> tuple[Tensor, Tensor]:
    """(dataset labels [N], whether each was recognised [N]).

    One batch of images is in memory at a time.
    """
    labels = []
    matches = []
    for done in range(0, len(examples), BATCH):
        if report:
            report("classifying", done / len(examples))
        batch = examples[done : done + BATCH]
        images, truth = stack(batch, chosen.backbone.size, window=window)
        probabilities = inference.predict(chosen.model, images, chosen.backbone)
        inference.check_finite(probabilities)
        answer = probabilities.argmax(dim=1)
        labels.append(truth)
        matches.append(answer == numbers[truth])
    return torch.cat(labels), torch.cat(matches)


def _as_trained(names: Sequence[str], trained: Sequence[str], used: set[int]) -> Tensor:
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
