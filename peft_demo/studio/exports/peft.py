"""huggingface/peft: a folder with the adapter as a LoRA, and the lines of Python that load it."""

from collections.abc import Sequence
from pathlib import Path

from ... import interop
from ...contracts.adapter_card import AdapterCard
from ...contracts.text import percent
from ...data.tensors import RESIZED
from ...storage.atomic import write_folder
from ...storage.names import slug
from ...vit import Backbone
from ...vit.catalogue import Source
from . import Export, Subject


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is a new folder afterwards that peft loads. Raises `CannotExport`."""
    files, notes = _near(subject) if subject.rank else _exact(subject)
    readme = _readme(subject.backbone, subject.card, subject.source)
    write_folder(out, {**files, "README.md": readme.encode()})
    return notes


def _exact(subject: Subject) -> tuple[dict[str, bytes], Sequence[str]]:
    hub = subject.source.hub
    return interop.to_peft(subject.backbone, subject.adapter, subject.card, hub)


def _near(subject: Subject) -> tuple[dict[str, bytes], Sequence[str]]:
    """The nearest LoRA of that rank, and what is lost."""
    fitted = interop.fit(subject.backbone, subject.adapter, subject.rank)
    hub = subject.source.hub
    files = interop.fit_to_peft(subject.backbone, fitted, subject.card, hub)
    ranks = {len(product.down) for product in fitted.products.values()}
    notes = [f"a LoRA of rank {max(ranks)} keeps {percent(fitted.kept)} of ‖ΔW‖²."]
    if fitted.left_out:
        notes.append(f"a LoRA has no place for {', '.join(fitted.left_out)}: left out.")
    if said := subject.measure(fitted.model):
        notes.append(said)
    return files, notes


def _readme(backbone: Backbone, card: AdapterCard, source: Source) -> str:
    """How to load the folder. Of the card, which may be a stranger's, it has only numbers and a
    tidied name: people run what stands here.
    """
    size = backbone.size
    window = f"\nBefore that, {card.picture_window.words}." if card.picture_window.words else ""
    base = f"base_model: {source.hub}\n" if source.hub else ""
    return f"""---
library_name: peft
{base}pipeline_tag: image-classification
---
# {slug(card.name)}

A {card.method} adapter of PEFT Demo, written as a LoRA with its classifier, for the backbone
`{source.name}` (sha256 of its tensors {backbone.fingerprint}).
Its {len(card.classes)} classes are named in `peft_demo.json`.

```python
import timm
from peft import PeftModel
from safetensors.torch import load_file

{_frozen_model(backbone, card, source)}
model.set_input_size(img_size={size})
model = PeftModel.from_pretrained(model, ".").eval()  # images [B 3 {size} {size}] to logits
```

Images are resized to {size} x {size} px ({RESIZED}), scaled to 0...1 and normalised with
mean {card.mean} and std {card.std}.{window}
"""


def _frozen_model(backbone: Backbone, card: AdapterCard, source: Source) -> str:
    """Python that makes the frozen model: from the Hub, or from a file, whose own head would not
    fit."""
    arguments = {**dict(source.kwargs), "num_classes": len(card.classes)}
    written = "".join(f", {name}={value!r}" for name, value in sorted(arguments.items()))
    if source.hub:
        return f"model = timm.create_model({source.name!r}, pretrained=True{written})"
    assert source.file is not None, "a source that is not on the Hub is a file"
    head = f"{backbone.anatomy.head.partition('.')[0]}."
    return f"""# The frozen backbone's checkpoint. Without its head, the SHA-256 of its tensors is
# {backbone.fingerprint}.
tensors = load_file({source.file.name!r})
model = timm.create_model({source.arch!r}, pretrained=False{written})
frozen = {{name: tensor for name, tensor in tensors.items() if not name.startswith({head!r})}}
model.load_state_dict(frozen, strict=False)"""


PEFT = Export("peft", write)
