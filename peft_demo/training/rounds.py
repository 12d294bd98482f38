"""What a trial of a search learns from and is judged on."""

from dataclasses import replace

import torch
from torch import Tensor

from ..contracts.errors import BadData
from ..data.few_shot_tensors import FewShotTensors, LabelledImages

PER_CLASS = 2
"""Validation images of each class, on average, that are enough to choose by."""
FOLDS = 4
"""Parts that the training images are cut into at most, where validation images are too few."""


def rounds(material: FewShotTensors) -> list[FewShotTensors]:
    """The rounds of a trial, none of which has test images.

    One round with the training and validation images as they are, where there are enough to
    choose by. Else the training images are cut into folds, and each round is judged on one of them
    and learns from the others. `BadData` says that there are too few for that, too.
    """
    blind = replace(material, test=_chosen(material.test, torch.tensor([], dtype=torch.long)))
    classes = len(material.classes)
    if len(material.val[1]) >= PER_CLASS * classes:
        return [blind]
    labels = material.train[1]
    folds = min(FOLDS, int(torch.bincount(labels, minlength=classes).min()))
    if folds >= 2:
        return [_round(blind, fold, folds) for fold in range(folds)]
    if len(material.val[1]):
        return [blind]
    raise BadData(
        "there are too few images to tune on: each class needs two.",
        "Add images, or train without tuning.",
    )


def _round(material: FewShotTensors, fold: int, folds: int) -> FewShotTensors:
    """The round that is judged on every `folds`-th training image of each class."""
    held_out = _places(material.train[1]) % folds == fold
    return replace(
        material,
        train=_chosen(material.train, (~held_out).nonzero().flatten()),
        val=_chosen(material.train, held_out.nonzero().flatten()),
    )


def _places(labels: Tensor) -> Tensor:
    """Of each label [N], how many equal ones stand before it: [0, 0, 1, 1] → [0, 1, 0, 1]."""
    same = labels[:, None] == labels[None, :]
    return same.tril(diagonal=-1).sum(dim=1)


def _chosen(part: LabelledImages, numbers: Tensor) -> LabelledImages:
    images, labels = part
    return images[numbers], labels[numbers]
