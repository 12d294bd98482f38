"""Figures of answers: the confusion matrix, precision, recall and F1 of each class, and how true
their probabilities are."""

from collections.abc import Iterator, Sequence
from math import isnan
from typing import Any

import numpy as np
from torch import Tensor
from torch.nn import functional as F

from ..contracts.score import ClassScore, Reliability

BINS = 10
"""Of probability."""


def figures(truth: Tensor, probabilities: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Fields of a `Score` from class numbers [N] that index `names`, and probabilities [N C]: only
    the classes that occur, in the order of `names`."""
    return {
        **_by_class(truth, probabilities.argmax(dim=1), names),
        **_calibration(truth, probabilities),
    }


def _by_class(truth: Tensor, answers: Tensor, names: Sequence[str]) -> dict[str, Any]:
    from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

    labels = np.union1d(truth.numpy(), answers.numpy())
    rows = np.array(
        precision_recall_fscore_support(truth, answers, labels=labels, zero_division=np.nan)  # pyright: ignore[reportArgumentType]
    )
    classes = [
        ClassScore(names[int(label)], int(images), _known(precision), _known(recall), _known(f1))
        for label, (precision, recall, f1, images) in zip(labels, rows.T, strict=True)
    ]
    matrix = confusion_matrix(truth, answers, labels=labels)
    return {
        "classes": tuple(classes),
        "confusion": tuple(map(tuple, matrix.tolist())),
        "macro_f1": float(rows[2].mean()),
    }


def _calibration(truth: Tensor, probabilities: Tensor) -> dict[str, Any]:
    shares, answers = probabilities.max(dim=1)
    bins = tuple(_bins(shares.numpy(), (answers == truth).numpy()))
    gaps = [one.images * abs(one.probability - one.accuracy) for one in bins]
    one_hot = F.one_hot(truth, probabilities.shape[1])
    return {
        "reliability": bins,
        "calibration_error": sum(gaps) / len(truth),
        "brier": (probabilities - one_hot).square().sum(dim=1).mean().item(),
    }


def _bins(shares: np.ndarray, right: np.ndarray) -> Iterator[Reliability]:
    """The answers by their probability, those of each tenth together; empty tenths are left out."""
    tenths = np.minimum((shares * BINS).astype(int), BINS - 1)
    for tenth in np.unique(tenths):
        chosen = tenths == tenth
        mean, share = shares[chosen].mean(), right[chosen].mean()
        yield Reliability(float(mean), float(share), int(chosen.sum()))


def _known(value: float) -> float | None:
    """None for what was divided by nothing."""
    return None if isnan(value) else float(value)
