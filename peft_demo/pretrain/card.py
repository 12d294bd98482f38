"""The weights file, in timm's own names, and the card beside it: what it is, how it was made, what it reaches."""

import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import timm
import torch
from safetensors import safe_open
from safetensors.torch import load_file
from torch import nn

from .checkpoint import write_atomically
from .distil import Recipe

KEY = "peft_demo_backbone"


def write_weights(
    backbone: nn.Module, recipe: Recipe, seen: int, photos: int, path: Path, licence: str
) -> None:
    """Writes a headless ViT as fp16 with everything needed to rebuild it in the metadata, atomically."""
    path = Path(path)
    about = {
        "name": path.stem,
        "title": "Mini ViT",
        "arch": recipe.arch,
        "kwargs": {"depth": recipe.depth, "img_size": recipe.size},
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "licence": licence,
        "teacher": recipe.teacher,
        "note": f"Distilled from random weights: {seen} images seen, {photos} unlabelled photos, seed {recipe.seed}.",
    }
    tensors = {name: tensor.half() for name, tensor in backbone.state_dict().items()}
    write_atomically(tensors, path, {"format": "pt", KEY: json.dumps(about)})


def read_weights(path: Path) -> nn.Module:
    """The backbone in such a file, as fp32, by timm and `load_state_dict(strict=True)` alone."""
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()[KEY])
    model = timm.create_model(about["arch"], pretrained=False, num_classes=0, **about["kwargs"])
    model.load_state_dict(
        {name: tensor.float() for name, tensor in load_file(path).items()}, strict=True
    )
    return model.eval()


def spread(accuracies: list[float]) -> str:
    """Mean ± sample deviation, percent."""
    deviation = np.std(accuracies, ddof=1) if len(accuracies) > 1 else 0.0
    return f"{np.mean(accuracies):.1f} ± {deviation:.1f}"


def table(figures: dict[str, dict[str, list[float]]]) -> str:
    """Markdown table of probe accuracies: `figures[set][model]` is one accuracy a seed."""
    models = list(next(iter(figures.values())))
    lines = ["| photos | " + " | ".join(models) + " |", "|---" * (len(models) + 1) + "|"]
    lines += [
        f"| {name} | " + " | ".join(spread(row[model]) for model in models) + " |"
        for name, row in figures.items()
    ]
    return "\n".join(lines)


def card(
    path: Path,
    recipe: Recipe,
    seen: int,
    photos: str,
    command: str,
    figures: str,
    notes: str,
    licence: str,
) -> str:
    """The card of the weights at `path`, markdown."""
    backbone = read_weights(path)
    weights = sum(p.numel() for p in backbone.parameters())
    settings = "\n".join(f"| {name} | {value} |" for name, value in asdict(recipe).items())
    return (
        f"""# {path.stem}

A small Vision Transformer for images of {recipe.size} px: {recipe.depth} blocks of width {backbone.embed_dim}, \
{weights:,} weights, {path.stat().st_size / 1e6:.1f} MB as fp16 safetensors. timm's `{recipe.arch}` with \
`depth={recipe.depth}, img_size={recipe.size}, num_classes=0`; pixels as (x - 0.5) / 0.5, bicubic resize.

- **Teacher:** timm `{recipe.teacher}` ({licence}), looked at in {recipe.teacher_size} px. The student started from \
random weights (seed {recipe.seed}) and regressed the teacher's tokens; no tensor of the teacher was copied.
- **Licence:** {licence}.
- **Data:** {photos}. Labels and folder names were not read.
- **Length:** {seen:,} images seen, batch {recipe.batch}.

## Figures

{figures}

## How it was made

    {command}

| setting | value |
|---|---|
{settings}

{notes}""".rstrip()
        + "\n"
    )


def random_twin(backbone_of: Path, seed: int) -> nn.Module:
    """The same architecture as the file's, with random weights: what the probes are compared with."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        with safe_open(backbone_of, "pt") as file:
            about = json.loads(file.metadata()[KEY])
        return timm.create_model(
            about["arch"], pretrained=False, num_classes=0, **about["kwargs"]
        ).eval()
