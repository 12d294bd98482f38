"""Other programs' formats: read by `convert`, written by `to_peft`, `to_onnx` and `to_timm`."""

from .convert import convert, is_foreign, with_defaults
from .fit import fit
from .to_onnx import to_onnx
from .to_peft import fit_to_peft, to_peft
from .to_timm import to_timm

__all__ = [
    "convert",
    "fit",
    "fit_to_peft",
    "is_foreign",
    "to_onnx",
    "to_peft",
    "to_timm",
    "with_defaults",
]
