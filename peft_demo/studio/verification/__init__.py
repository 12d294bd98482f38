"""What was exported, asked about the probe pictures by its own runtime.

| file | what it asks |
|---|---|
| `onnx.py` | an ONNX file, also that in the folder of a Space or a page: onnxruntime |
| `timm.py` | a folder of timm's: `timm.create_model` and timm's own preparation of pictures |
| `weights.py` | merged weights: timm's model of their architecture |
| `peft.py` | a folder of peft's, on timm's model or on transformers': peft |

Each gives a `Runner` and what was kept. A pickle is never read: who looks for one finds a sentence.
"""

from pathlib import Path

from ...adapters import Adapter, AdapterFile
from ...contracts.errors import BadAdapter
from ...contracts.probes import nothing_kept
from ...contracts.text import shortened
from ...contracts.verification import Verification
from ...inference import Attached
from ...inference.runner import ModelRunner
from ...inference.verification import verify
from ...interop.peft_config import CONFIG
from ...interop.peft_folder import TENSORS
from ...storage.home import Home
from ...storage.paths import is_file, is_folder
from ...vit import Backbone
from ..backbone_cache import BackboneCache
from . import onnx, peft, timm, weights
from .kept import check_import
from .weights import merged_file

__all__ = ["check_import", "is_export", "merged_file", "verify_adapter", "verify_export"]


def is_export(path: Path) -> bool:
    """Whether `path` is another program's: a folder, an ONNX file, merged weights."""
    return is_folder(path) or path.suffix == onnx.SUFFIX or weights.are_merged(path)


def verify_adapter(file: AdapterFile, backbone: Backbone, adapter: Adapter) -> Verification:
    """What came of asking the adapter of a file, loaded; `BadAdapter` where the file keeps no
    answers."""
    name = shortened(file.card.name)
    kept = file.probes
    if kept is None:
        raise nothing_kept(name)
    attached = Attached.of(backbone, adapter, file.card)
    return verify(ModelRunner.of(attached), kept, name)


def verify_export(path: Path, home: Home, backbones: BackboneCache) -> Verification:
    """What came of asking the export at `path`; `BadAdapter` or `BadValue` say why it cannot be
    asked."""
    name = shortened(path.name)
    if path.suffix == onnx.SUFFIX:
        runner, kept = onnx.opened(path)
    elif not is_folder(path):
        runner, kept = weights.opened(path)
    elif is_file(path / onnx.INSIDE):
        runner, kept = onnx.opened(path / onnx.INSIDE)
    elif is_file(path / CONFIG) or is_file(path / TENSORS):
        runner, kept = peft.opened(path, home, backbones)
    elif is_file(path / timm.CONFIG):
        runner, kept = timm.opened(path)
    else:
        raise BadAdapter(
            f"{name} holds nothing that `export` writes: no {onnx.INSIDE}, no {CONFIG}, no"
            f" {timm.CONFIG}."
        )
    return verify(runner, kept, name)
