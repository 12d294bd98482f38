"""Adapters: built (`adapter`), put around a backbone (`attach`), many at once (`mixed`), folded
into its weights (`merge`), kept in one file (`file`), gone on from (`take_over`), and what they
change (`changes`)."""

from .adapter import Adapter, create, meta_adapter
from .attach import attach, without_head
from .changes import changes
from .file import AdapterFile, dump, load, read_card
from .merge import merge, merged_tensors
from .mixed import Mixed, is_mixable
from .take_over import take_over

__all__ = [
    "Adapter",
    "AdapterFile",
    "Mixed",
    "attach",
    "changes",
    "create",
    "dump",
    "is_mixable",
    "load",
    "merge",
    "merged_tensors",
    "meta_adapter",
    "read_card",
    "take_over",
    "without_head",
]
