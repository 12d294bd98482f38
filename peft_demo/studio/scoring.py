"""How often an adapter is right, on images it has not learned from."""

from collections.abc import Sequence

import torch
from torch import Tensor

from .. import inference
from ..contracts.cards import Score
from ..contracts.errors import BadData
from ..contracts.progress import Report
from ..contracts.specs import DataSpec
from ..data import Dataset, Example, readable, split, stack
from .predictor import Attached

BATCH = 256


def score(chosen: Attached, dataset: Dataset, report: Report | None = None) -> Score:
    """Accuracy on the dataset's given test images, or on all where it gives none; seen ones are left out."""
    given, _ = readable([e for e in dataset.examples if e.part == "test"] or dataset.examples)
    seen = {digest[:12] for digest in chosen.card.seen}
    fresh = [e for e in given if e.digest[:12] not in seen]
    if not fresh:
        raise BadData(
            "there is no image here that the adapter has not been trained on.",
            "Add some it has not seen.",
        )
    numbers = _as_trained(dataset.classes, chosen.card.classes, {e.label for e in fresh})
    truth, right = _right(chosen, fresh, numbers, report)
    each = [
        (name, right[truth == i]) for i, name in enumerate(dataset.classes) if (truth == i).any()
    ]
    per_class = tuple((name, r.float().mean().item(), len(r)) for name, r in each)
    return Score(right.float().mean().item(), len(right), len(given) - len(fresh), per_class)


def repeated(
    chosen: Attached, dataset: Dataset, data: DataSpec, report: Report | None = None
) -> Score:
    """Accuracy on the very test images of the adapter's run; `BadData` if the dataset is not the same any more."""
    again = split(dataset, data.shots, data.seed)
    if again.fingerprint != chosen.card.split:
        raise BadData(f"the images of {dataset.title} are not those it was trained and tested on.")
    _, right = _right(chosen, again.test, torch.arange(len(dataset.classes)), report)
    return Score(right.float().mean().item(), len(right), 0)


def _right(
    chosen: Attached, examples: Sequence[Example], numbers: Tensor, report
) -> tuple[Tensor, Tensor]:
    """(dataset labels [N], whether each was recognised [N]), with one batch of images in memory at a time."""
    truths = []
    rights = []
    for done in range(0, len(examples), BATCH):
        if report:
            report("classifying", done / len(examples))
        images, truth = stack(examples[done : done + BATCH], chosen.backbone.size)
        probabilities = inference.predict(chosen.model, images, chosen.backbone)
        inference.check_finite(probabilities)
        answer = probabilities.argmax(dim=1)
        truths.append(truth)
        rights.append(answer == numbers[truth])
    return torch.cat(truths), torch.cat(rights)


def _as_trained(names: Sequence[str], trained: Sequence[str], used: set[int]) -> Tensor:
    """Dataset class number → adapter class number, by name. `BadData` if a class that occurs was not trained."""
    missing = [names[i] for i in sorted(used) if names[i] not in trained]
    if missing:
        what = f"the adapter does not know the class {missing[0]!r}"
        raise BadData(
            f"{what}; it knows {', '.join(trained[:20])}.",
            "Rename the class folders or the classes.",
        )
    return torch.tensor([trained.index(n) if n in trained else -1 for n in names])
