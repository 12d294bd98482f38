"""Adapters: built (`adapter`), put around a backbone (`attach`), folded in (`merge`), kept in one file (`file`)."""

from .adapter import Adapter, create, skeleton
from .attach import attach
from .file import dump, load, read_card, with_card
from .merge import merge, merged_tensors

__all__ = [
    "Adapter",
    "attach",
    "create",
    "dump",
    "load",
    "merge",
    "merged_tensors",
    "read_card",
    "skeleton",
    "with_card",
]
