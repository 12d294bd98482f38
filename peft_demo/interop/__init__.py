"""Other programs' formats: read by `convert`, written by `to_peft` and `to_onnx`.

| file | its one idea |
|---|---|
| `convert.py` | what came from elsewhere → a file of ours, with what a person says about it |
| `peft_folder.py` `peft_config.py` | a folder of huggingface/peft, and what its config says |
| `peft_tensors.py` | which tensors it must hold |
| `from_peft.py` `to_peft.py` | its tensors ↔ an adapter |
| `change.py` `biases.py` | what a LoRA does at one linear, and what trained biases become |
| `naming.py` `transformers_names.py` | what the plain model calls its parts: timm, transformers |
| `fit.py` | the nearest LoRA of an adapter that is none |
| `binary_release.py` `to_onnx.py` | the papers' 1-bit files, ONNX |
"""

from .convert import convert, is_foreign, with_defaults
from .fit import fit
from .to_onnx import to_onnx
from .to_peft import Written, fit_to_peft, to_peft

__all__ = [
    "Written",
    "convert",
    "fit",
    "fit_to_peft",
    "is_foreign",
    "to_onnx",
    "to_peft",
    "with_defaults",
]
