"""How methods are written for people."""

from collections.abc import Mapping

from ..contracts.service import Training

Titles = Mapping[str, str]
"""A method's name → how it is written: bi_lora → 1-bit LoRA."""


def method_titles(training: Training) -> Titles:
    """Those of all methods."""
    return {card.name: card.title for card in training.methods()}
