"""A folder of timm's: `timm.create_model` makes the model, and timm's own transform prepares
pictures, both from its `config.json`."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import timm
from PIL.Image import Image
from safetensors import SafetensorError
from timm.data.config import resolve_model_data_config
from timm.data.transforms_factory import create_transform
from torch import Tensor, nn

from ...contracts.errors import BadAdapter
from ...contracts.probes import Probes
from ...inference.runner import ModelRunner
from ...storage.header import open_binary
from ...storage.paths import is_file
from .kept import kept_in

CONFIG = "config.json"
TENSORS = "model.safetensors"
"""Which timm takes before any pickle."""
LIMIT = 10_000_000
"""Bytes of the config."""


def opened(folder: Path) -> tuple[ModelRunner, Probes]:
    """The model in `folder` with its preparation, and what is kept beside it."""
    if not is_file(folder / TENSORS):
        raise BadAdapter(f"{folder.name} has no {TENSORS}, and a pickle is never loaded here.")
    kept = kept_in(folder)
    model = _model(folder)
    config = resolve_model_data_config(model)
    transform = cast(Callable[[Image], Tensor], create_transform(**config))
    names = _names(folder)
    runner = ModelRunner(
        by=f"timm {timm.__version__}",
        classes=names or kept.classes,
        size=config["input_size"][-1],
        normalisation=(tuple(config["mean"]), tuple(config["std"])),
        model=model,
        transform=transform,
    )
    return runner, kept


def _model(folder: Path) -> nn.Module:
    try:
        return timm.create_model(f"local-dir:{folder.absolute()}", pretrained=True).eval()
    except (
        RuntimeError,
        KeyError,
        TypeError,
        ValueError,
        AssertionError,
        OSError,
        SafetensorError,
    ) as error:
        reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
        raise BadAdapter(f"timm cannot load {folder.name}: {reason}") from None


def _names(folder: Path) -> tuple[str, ...]:
    """What `config.json` calls the classes, () where it does not."""
    with open_binary(folder / CONFIG, BadAdapter) as stream:
        content = stream.read(LIMIT + 1)
    try:
        config: Any = json.loads(content)
        names = config.get("label_names") or ()
        return tuple(str(name) for name in names)
    except (ValueError, RecursionError, AttributeError, TypeError):
        raise BadAdapter(f"the {CONFIG} of {folder.name} names no classes.") from None
