"""Other programs' formats: read by `convert`, written by `to_peft`, `to_onnx` and `to_timm`.

| file | its one idea |
|---|---|
| `convert.py` | what came from elsewhere → a file of ours, with what a person says about it |
| `peft_folder.py` `peft_config.py` | a folder of huggingface/peft, and what its config says |
| `peft_tensors.py` | which tensors it must hold |
| `from_peft.py` `to_peft.py` | its tensors ↔ an adapter |
| `change.py` `biases.py` | what a LoRA does at one linear, and what trained biases become |
| `naming.py` `transformers_names.py` | what the plain model calls its parts: timm, transformers |
| `fit.py` | the nearest LoRA of an adapter that is none |
| `binary_release.py` | the papers' 1-bit files |
| `to_onnx.py` `onnx_input.py` | ONNX: the model, and what pictures go through before it |
| `to_timm.py` | timm's own folder |
| `plain_model.py` | timm's and transformers' model of a backbone's weights |
"""

from .convert import convert, is_foreign, normalisation, with_defaults
from .fit import fit
from .to_onnx import to_onnx
from .to_peft import Written, fit_to_peft, to_peft
from .to_timm import to_timm

__all__ = [
    "Written",
    "convert",
    "fit",
    "fit_to_peft",
    "is_foreign",
    "normalisation",
    "to_onnx",
    "to_peft",
    "to_timm",
    "with_defaults",
]
