"""Adapters written out for other programs: huggingface/peft (with the lines of Python that load it) and ONNX."""

from collections.abc import Sequence
from pathlib import Path

import timm

from .. import adapters, vit
from ..adapters import Adapter
from ..contracts.cards import AdapterCard
from ..vit.catalogue import Source
from .home import slug, write, write_folder


def write_peft(out: Path, backbone: vit.Backbone, adapter: Adapter, card: AdapterCard, source: Source) -> Sequence[str]:
    """`out` is a new folder afterwards that peft loads; what there is to know about it, in sentences."""
    files, notes = adapters.to_peft(backbone, adapter, card)
    write_folder(out, files | {"README.md": _readme(backbone, card, source).encode()})
    return notes


def write_onnx(out: Path, backbone: vit.Backbone, adapter: Adapter, card: AdapterCard, source: Source) -> Sequence[str]:
    """`out` is one ONNX file afterwards; what there is to know about it, in sentences."""
    content, merged = adapters.to_onnx(backbone, adapter, card)
    write(out, content)
    form = "the adapter is folded into the weights" if merged else f"{card.method} does not fold away and stands in it"
    return (f"{form}; images [batch 3 {card.size} {card.size}] normalised with mean {card.mean} and std {card.std}.",)


def _readme(backbone: vit.Backbone, card: AdapterCard, source: Source) -> str:
    """Of the card, which may be a stranger's, only numbers and a tidied name: people run what stands here."""
    known, size = timm.is_model_pretrained(source.name), backbone.size
    base = f"base_model: timm/{source.name}\n" if known else ""
    arguments = dict(source.kwargs) | {"num_classes": len(card.classes)}
    given = "".join(f", {name}={value!r}" for name, value in sorted(arguments.items()))
    make = f"timm.create_model({(source.name if known else source.arch)!r}, pretrained={known}{given})"
    file = f"{source.name}.safetensors"
    weights = "" if known else f"model.load_state_dict(load_file({file!r}), strict=False)  # the frozen backbone\n"
    return f"""---
library_name: peft
{base}pipeline_tag: image-classification
---
# {slug(card.name)}

A {card.method} adapter of PEFT Demo, written as a LoRA with its classifier, for the backbone `{source.name}`
(sha256 of its tensors {backbone.fingerprint}). Its {len(card.classes)} classes are named in `peft_demo.json`.

```python
import timm
from peft import PeftModel
from safetensors.torch import load_file

model = {make}
{weights}model.set_input_size(img_size={size})
model = PeftModel.from_pretrained(model, ".").eval()  # images [B 3 {size} {size}] to logits
```

Images are resized to {size} px ({backbone.interpolation}), scaled to 0...1 and normalised with mean {card.mean} and std
{card.std}.
"""


EXPORTS = {"peft": write_peft, "onnx": write_onnx}
"""Format → what writes it."""
