"""A run as a generator of events (`train`; `whole` begins with its dataset), its images (`material`), scores
(`evaluate`), `precision` and `cost`."""

from .cost import cost
from .evaluate import logits, predict, predict_mixed, score
from .material import Material, material
from .precision import mixed, suit
from .shown import normalised
from .train import train
from .whole import Trainer, whole

__all__ = [
    "Material",
    "Trainer",
    "cost",
    "logits",
    "material",
    "mixed",
    "normalised",
    "predict",
    "predict_mixed",
    "score",
    "suit",
    "train",
    "whole",
]
