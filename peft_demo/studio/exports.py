"""Adapters written out for other programs: huggingface/peft (with the lines of Python that load it) and ONNX."""

from collections.abc import Sequence
from pathlib import Path

import timm

from .. import adapters, vit
from ..adapters import Adapter
from ..contracts.cards import AdapterCard
from ..vit.catalogue import Source
from .home import write, write_folder


def write_peft(out: Path, backbone: vit.Backbone, adapter: Adapter, card: AdapterCard, source: Source) -> Sequence[str]:
    """`out` is a new folder afterwards that peft loads; what there is to know about it, in sentences."""
    files, notes = adapters.to_peft(backbone, adapter, card)
    write_folder(out, files | {"README.md": _readme(card, source).encode()})
    return notes


def write_onnx(out: Path, backbone: vit.Backbone, adapter: Adapter, card: AdapterCard, source: Source) -> Sequence[str]:
    """`out` is one ONNX file afterwards; what there is to know about it, in sentences."""
    content, merged = adapters.to_onnx(backbone, adapter, card)
    write(out, content)
    form = "the adapter is folded into the weights" if merged else f"{card.method} does not fold away and stands in it"
    return (f"{form}; images [batch 3 {card.size} {card.size}] normalised with mean {card.mean} and std {card.std}.",)


def _readme(card: AdapterCard, source: Source) -> str:
    known = timm.is_model_pretrained(card.backbone)
    base = f"base_model: timm/{card.backbone}\n" if known else ""
    arguments = dict(source.kwargs) | {"num_classes": len(card.classes)}
    given = "".join(f", {name}={value!r}" for name, value in sorted(arguments.items()))
    make = f"timm.create_model({card.backbone if known else card.arch!r}, pretrained={known}{given})"
    weights = (
        "" if known else f'model.load_state_dict(load_file("{card.backbone}.safetensors"), strict=False)  # frozen\n'
    )
    return f"""---
library_name: peft
{base}pipeline_tag: image-classification
---
# {" ".join(card.name.split())}

A {card.method} adapter of PEFT Demo, written as a LoRA with its classifier. It stands on the backbone `{card.backbone}`
(sha256 of its tensors {card.fingerprint}) and knows these classes, in this order: {", ".join(card.classes)}.

```python
import timm
from peft import PeftModel
from safetensors.torch import load_file

model = {make}
{weights}model.set_input_size(img_size={card.size})
model = PeftModel.from_pretrained(model, ".").eval()  # images [B 3 {card.size} {card.size}] to logits
```

Images are resized to {card.size} px ({card.interpolation}), scaled to 0...1 and normalised with mean {card.mean}
and std {card.std}.
"""


EXPORTS = {"peft": write_peft, "onnx": write_onnx}
"""Format → what writes it."""
