"""Adapters: built (`adapter`), put around a backbone (`attach`), many at once (`mixed`), folded in (`merge`),
kept in one file (`file`).

Other programs' formats: written by `to_peft` and `to_onnx`, read by `foreign` (`from_peft`, `released`).
"""

from .adapter import Adapter, create, skeleton
from .attach import attach
from .file import dump, load, read_card, with_card
from .foreign import adopt, completed, is_foreign
from .merge import merge, merged_tensors
from .mixed import Mixed, is_mixable
from .to_onnx import to_onnx
from .to_peft import to_peft

__all__ = [
    "Adapter",
    "Mixed",
    "adopt",
    "attach",
    "completed",
    "create",
    "dump",
    "is_foreign",
    "is_mixable",
    "load",
    "merge",
    "merged_tensors",
    "read_card",
    "skeleton",
    "to_onnx",
    "to_peft",
    "with_card",
]
