"""The weights file, under timm's own names, with everything needed to rebuild the model in it."""

import json
from pathlib import Path
from typing import Any

import timm
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from .checkpoint import write_tensors
from .recipe import Recipe

KEY = "peft_demo_backbone"
"""Where the file's metadata keeps its record, as JSON."""


def write_weights(
    backbone: nn.Module, recipe: Recipe, seen: int, photos: int, path: Path, licence: str
) -> None:
    """`path` holds the headless ViT as fp16 afterwards, or what it held before."""
    path = Path(path)
    record = {
        "name": path.stem,
        "title": "Mini ViT",
        "arch": recipe.arch,
        "kwargs": {"depth": recipe.depth, "img_size": recipe.size},
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "licence": licence,
        "teacher": recipe.teacher,
        "note": f"Distilled from random weights: {seen} images seen, {photos} unlabelled photos, "
        f"seed {recipe.seed}.",
    }
    tensors = {name: tensor.half() for name, tensor in backbone.state_dict().items()}
    write_tensors(tensors, path, {"format": "pt", KEY: json.dumps(record)})


def read_weights(path: Path) -> nn.Module:
    """The backbone in such a file, as fp32, by timm and `load_state_dict(strict=True)` alone."""
    model = _create(path)
    tensors = {name: tensor.float() for name, tensor in load_file(path).items()}
    model.load_state_dict(tensors, strict=True)
    return model.eval()


def random_twin(path: Path, seed: int) -> nn.Module:
    """The architecture of the file at `path` with random weights, to compare probes with."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return _create(path).eval()


def _create(path: Path) -> nn.Module:
    with safe_open(path, "pt") as file:
        record: dict[str, Any] = json.loads(file.metadata()[KEY])
    return timm.create_model(record["arch"], pretrained=False, num_classes=0, **record["kwargs"])
