"""A run as a generator of events (`train`), the images it learns from (`material`), scores (`evaluate`), `cost`."""

from .cost import cost
from .evaluate import logits, predict, score
from .material import Material, material
from .train import train

__all__ = ["Material", "cost", "logits", "material", "predict", "score", "train"]
