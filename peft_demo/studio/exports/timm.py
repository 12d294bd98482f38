"""timm: a folder with the adapter folded into the weights, and how its pictures are prepared."""

from collections.abc import Sequence
from pathlib import Path

from ... import interop
from ...contracts.errors import BadValue, CannotExport, CannotMerge
from ...storage.atomic import write_folder
from ...storage.names import slug
from . import Export, Subject, probe_file


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is a new folder afterwards that timm loads. Raises `CannotExport`."""
    card = subject.card
    if subject.rank:
        raise BadValue("timm's weights hold every adapter that folds.", "Leave out --rank.")
    arguments = dict(subject.source.kwargs)
    try:
        files = interop.to_timm(subject.backbone, subject.adapter, card, arguments)
    except CannotMerge as error:
        raise CannotExport(error.sentence, "Write it `--to onnx` instead.") from None
    files |= probe_file(subject.probes)
    write_folder(out, {**files, "README.md": _readme(subject).encode()})
    return ('timm.create_model("local-dir:FOLDER", pretrained=True) loads that folder.',)


def _readme(subject: Subject) -> str:
    """How to load the folder. Of the card, which may be a stranger's, it has only a tidied name:
    people run what stands here.
    """
    card = subject.card
    return f"""---
library_name: timm
pipeline_tag: image-classification
---
# {slug(card.name)}

A {card.method} adapter of PEFT Demo, folded into the weights of its backbone.
Its {len(card.classes)} classes are named in `config.json`.

```python
import timm

model = timm.create_model("local-dir:.", pretrained=True).eval()
prepare = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
# model(prepare(image)[None]) are the logits of a PIL image in RGB.
```
{subject.before}
"""


TIMM = Export("timm", write)
