"""huggingface/peft: a folder with the adapter as a LoRA, and the lines of Python that load it."""

from collections.abc import Sequence
from pathlib import Path

from ... import interop
from ...contracts.text import percent
from ...data.tensors import RESIZED
from ...inference.probes import probes_of
from ...interop.naming import Naming
from ...storage.atomic import write_folder
from ...storage.names import slug
from . import Export, Subject, probe_file


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is a new folder afterwards that peft loads. Raises `CannotExport`."""
    size = subject.backbone.size
    code = f"""import timm
from peft import PeftModel
from safetensors.torch import load_file

{frozen_model(subject)}
model.set_input_size(img_size={size})
model = PeftModel.from_pretrained(model, ".").eval()  # images [B 3 {size} {size}] to logits"""
    return write_lora(out, subject, code, subject.source.hub)


def write_lora(
    out: Path, subject: Subject, code: str, hub: str = "", naming: Naming | None = None
) -> Sequence[str]:
    """Writes the folder of a LoRA on the plain model that `naming` names, with the `code` that
    loads it; `hub` is the repository of that model."""
    make = _near if subject.rank else _exact
    files, notes = make(subject, hub, naming)
    write_folder(out, {**files, "README.md": _readme(subject, code, hub).encode()})
    return notes


def _exact(subject: Subject, hub: str, naming: Naming | None) -> interop.Written:
    files, notes = interop.to_peft(subject.backbone, subject.adapter, subject.card, hub, naming)
    return {**files, **probe_file(subject.probes)}, notes


def _near(subject: Subject, hub: str, naming: Naming | None) -> interop.Written:
    """The nearest LoRA of that rank, and what is lost."""
    fitted = interop.fit(subject.backbone, subject.adapter, subject.rank)
    files = interop.fit_to_peft(subject.backbone, fitted, subject.card, hub, naming)
    ranks = {len(product.down) for product in fitted.products.values()}
    notes = [f"a LoRA of rank {max(ranks)} keeps {percent(fitted.kept)} of ‖ΔW‖²."]
    if fitted.left_out:
        notes.append(f"a LoRA has no place for {', '.join(fitted.left_out)}: left out.")
    if said := subject.measure(fitted.model):
        notes.append(said)
    answers = probes_of(fitted.model, subject.backbone, subject.card)
    return {**files, **probe_file(answers)}, tuple(notes)


def _readme(subject: Subject, code: str, hub: str) -> str:
    """How to load the folder. Of the card, which may be a stranger's, it has only numbers and a
    tidied name: people run what stands here.
    """
    backbone, card = subject.backbone, subject.card
    size = backbone.size
    base = f"base_model: {hub}\n" if hub else ""
    return f"""---
library_name: peft
{base}pipeline_tag: image-classification
---
# {slug(card.name)}

A {card.method} adapter of PEFT Demo, written as a LoRA with its classifier, for the backbone
`{subject.source.name}` (sha256 of its tensors {backbone.fingerprint}).
Its {len(card.classes)} classes are named in `peft_demo.json`.

```python
{code}
```

Images are resized to {size} x {size} px ({RESIZED}), scaled to 0...1 and normalised with
mean {card.mean} and std {card.std}.{subject.before}
"""


def frozen_model(subject: Subject) -> str:
    """Python that makes timm's frozen `model`: from the Hub, or from a file, whose own head would
    not fit."""
    backbone, source = subject.backbone, subject.source
    arguments = {**dict(source.kwargs), "num_classes": len(subject.card.classes)}
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
