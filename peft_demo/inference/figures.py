"""Figures of answers: the confusion matrix, precision, recall and F1 of each class."""

from collections.abc import Sequence
from math import isnan
from typing import Any

import numpy as np
from torch import Tensor

from ..contracts.score import ClassScore


def figures(truth: Tensor, answers: Tensor, names: Sequence[str]) -> dict[str, Any]:
    """Fields of a `Score` from class numbers [N] that index `names`: only the classes that occur,
    in the order of `names`."""
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


def _known(value: float) -> float | None:
    """None for what was divided by nothing."""
    return None if isnan(value) else float(value)
