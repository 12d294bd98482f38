"""A page that runs the adapter in the browser itself: a folder with the page and the ONNX file.

onnxruntime-web, 15 MB of WebAssembly, comes from npm by the command that the README and the notes
say; after that the folder needs no network, and pictures stay on the device.
"""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from ...contracts.adapter_card import AdapterCard
from ...contracts.doubt import LIMIT
from ...storage.atomic import write_folder
from ...storage.names import slug
from ..onnx_file import onnx_file
from . import Export, Subject

RUNTIME = "ort.wasm.min.mjs ort-wasm-simd-threaded.mjs ort-wasm-simd-threaded.wasm"
"""Files of onnxruntime-web that the page needs beside it."""
BUNDLE = (
    "npm pack onnxruntime-web && tar xzf onnxruntime-web-*.tgz && "
    f"cp {' '.join(f'package/dist/{name}' for name in RUNTIME.split())} ."
)
"""The command, in the folder, that puts them there."""


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is a new folder afterwards, a page. Raises `CannotExport`."""
    card = subject.card
    made = onnx_file(subject)
    about = {"classes": card.classes, "ground": card.ground, "limit": LIMIT}
    content = {
        "README.md": _readme(card).encode(),
        "about.json": json.dumps(about, ensure_ascii=False).encode(),
        "index.html": files("peft_demo.studio.web_folder").joinpath("index.html").read_bytes(),
        "model.onnx": made.content,
    }
    write_folder(out, content)
    return (*made.checked, f"once, in that folder: {BUNDLE}", "then: python -m http.server")


def _readme(card: AdapterCard) -> str:
    """How to run it. Of the card, which may be a stranger's, it has only a tidied name and
    numbers."""
    return f"""# {slug(card.name)}

A page that tells {len(card.classes)} classes apart in the browser, with a {card.method} adapter of
PEFT Demo and its backbone in `model.onnx`. Pictures stay on the device.

```bash
{BUNDLE}
python -m http.server
```
"""


WEB = Export("web", write)
