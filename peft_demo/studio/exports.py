"""Adapters written out for other programs: huggingface/peft (with the lines of Python that load it) and ONNX."""

from collections.abc import Sequence
from pathlib import Path

from .. import interop, vit
from ..adapters import Adapter
from ..contracts.adapter_card import AdapterCard
from ..data.tensors import RESIZED
from ..storage.atomic import write_file, write_folder
from ..storage.names import slug
from ..vit.catalogue import Source


def write_peft(
    out: Path, backbone: vit.Backbone, adapter: Adapter, card: AdapterCard, source: Source
) -> Sequence[str]:
    """`out` is a new folder afterwards that peft loads; what there is to know about it, in sentences."""
    files, notes = interop.to_peft(backbone, adapter, card, source.hub)
    write_folder(out, files | {"README.md": _readme(backbone, card, source).encode()})
    return notes


def write_onnx(
    out: Path, backbone: vit.Backbone, adapter: Adapter, card: AdapterCard, source: Source
) -> Sequence[str]:
    """`out` is one ONNX file afterwards; what there is to know about it, in sentences."""
    content, merged = interop.to_onnx(backbone, adapter, card)
    write_file(out, content)
    form = (
        "the adapter is folded into the weights"
        if merged
        else f"{card.method} does not fold away and stands in it"
    )
    images = f"images [batch 3 {card.size} {card.size}], {RESIZED}, normalised with mean {card.mean} and std {card.std}"
    return (f"{form}; {images}.",)


def _readme(backbone: vit.Backbone, card: AdapterCard, source: Source) -> str:
    """Of the card, which may be a stranger's, only numbers and a tidied name: people run what stands here."""
    size = backbone.size
    base = f"base_model: {source.hub}\n" if source.hub else ""
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

{_frozen(backbone, card, source)}
model.set_input_size(img_size={size})
model = PeftModel.from_pretrained(model, ".").eval()  # images [B 3 {size} {size}] to logits
```

Images are resized to {size} x {size} px ({RESIZED}), scaled to 0...1 and normalised with
mean {card.mean} and std {card.std}.
"""


def _frozen(backbone: vit.Backbone, card: AdapterCard, source: Source) -> str:
    """Python that makes the frozen model: from the Hub, or from a file, whose own head would not fit."""
    arguments = dict(source.kwargs) | {"num_classes": len(card.classes)}
    given = "".join(f", {name}={value!r}" for name, value in sorted(arguments.items()))
    if source.hub:
        return f"model = timm.create_model({source.name!r}, pretrained=True{given})"
    head = f"{backbone.anatomy.head.partition('.')[0]}."
    return f"""# The frozen backbone's checkpoint. Without its head, the SHA-256 of its tensors is
# {backbone.fingerprint}.
held = load_file({source.file.name!r})
model = timm.create_model({source.arch!r}, pretrained=False{given})
model.load_state_dict({{name: t for name, t in held.items() if not name.startswith({head!r})}}, strict=False)"""


EXPORTS = {"peft": write_peft, "onnx": write_onnx}
"""Format → what writes it."""
