"""Adapters: built (`adapter`), put around a backbone (`attach`), many at once (`mixed`), folded
into its weights (`merge`), several into one model (`blend`), kept in one file (`file`), gone on
from (`take_over`), and what they change (`changes`)."""

from ..storage.adapter_header import read_card
from .adapter import Adapter, create, meta_adapter
from .attach import attach, without_head
from .blend import blend
from .changes import changes
from .file import AdapterFile, dump, load
from .merge import merge, merged_tensors, tensors_of
from .mixed import Mixed, is_mixable
from .take_over import take_over

__all__ = [
    "Adapter",
    "AdapterFile",
    "Mixed",
    "attach",
    "blend",
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
    "tensors_of",
    "without_head",
]
