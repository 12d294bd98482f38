"""An ONNX file in onnxruntime: pictures as they are, and all that is done to them stands in it."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL.Image import Image
from torch import Tensor

from ...contracts.errors import BadAdapter, BadValue
from ...contracts.probes import KEY, Probes, nothing_kept
from ...contracts.text import shortened
from ...inference.runner import Normalisation
from ...interop.onnx_input import NAME
from ...storage.header import open_binary

SUFFIX = ".onnx"
INSIDE = "model.onnx"
"""Its name in the folder of a Space or a page."""


@dataclass(frozen=True, eq=False)
class OnnxRunner:
    """A session; its normalisation stands inside."""

    session: Any = field(repr=False)
    by: str
    classes: tuple[str, ...]
    size: int
    normalisation: Normalisation | None = None

    def own(self, picture: Image) -> Tensor:
        return self._logits(np.asarray(picture))

    def of_square(self, square: Tensor, normalisation: Normalisation | None = None) -> Tensor:
        return self._logits(square.permute(1, 2, 0).contiguous().numpy())

    def _logits(self, pixels: np.ndarray) -> Tensor:
        """[C] of uint8 pixels [H W 3]."""
        (logits,) = self.session.run(["logits"], {NAME: pixels[None]})
        return torch.from_numpy(np.asarray(logits))[0].float()


def opened(path: Path) -> tuple[OnnxRunner, Probes]:
    """The file at `path`, and what it keeps."""
    with open_binary(path, BadAdapter) as stream:
        return parsed(stream.read(), path.name)


def parsed(content: bytes, name: str) -> tuple[OnnxRunner, Probes]:
    """The file whose bytes are `content`, which sentences call `name`; `BadValue` where onnxruntime
    is missing."""
    try:
        import onnxruntime
    except ImportError:
        raise BadValue("this needs the package onnxruntime.", "`pip install onnxruntime`") from None
    name = shortened(name)
    try:
        session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    except Exception as error:  # its own classes, one for each code
        reason = str(error).splitlines()[0][:200]
        raise BadAdapter(f"onnxruntime cannot read {name}: {reason}") from None
    words = session.get_modelmeta().custom_metadata_map
    if KEY not in words:
        raise nothing_kept(name)
    kept = Probes.parse(words[KEY], f"the probe of {name}")
    by = f"onnxruntime {onnxruntime.__version__}"
    return OnnxRunner(session, by, kept.classes, _size(words, name)), kept


def _size(words: dict[str, str], name: str) -> int:
    try:
        size = json.loads(words.get("size", ""))
    except (ValueError, RecursionError):
        size = None
    if type(size) is not int or not 1 <= size <= 4096:
        raise BadAdapter(f"{name} does not say its image size.", "Export it again.")
    return size
