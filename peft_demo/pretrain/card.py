"""The card beside the weights: what they are, how they were made, how far they go."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from .recipe import Recipe
from .weights import read_weights


def spread(accuracies: Sequence[float]) -> str:
    """Mean ± sample deviation, percent."""
    deviation = np.std(accuracies, ddof=1) if len(accuracies) > 1 else 0.0
    return f"{np.mean(accuracies):.1f} ± {deviation:.1f}"


def table(figures: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """Markdown table of probe accuracies: `figures[set][model]` is one accuracy a seed."""
    models = list(next(iter(figures.values())))
    lines = ["| photos | " + " | ".join(models) + " |", "|---" * (len(models) + 1) + "|"]
    for name, row in figures.items():
        cells = " | ".join(spread(row[model]) for model in models)
        lines.append(f"| {name} | {cells} |")
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
    text = f"""# {path.stem}

A small Vision Transformer for images of {recipe.size} px: {recipe.depth} blocks of width \
{backbone.embed_dim}, {weights:,} weights, {path.stat().st_size / 1e6:.1f} MB as fp16 safetensors. \
timm's `{recipe.arch}` with `depth={recipe.depth}, img_size={recipe.size}, num_classes=0`; pixels \
as (x - 0.5) / 0.5, bicubic resize.

- **Teacher:** timm `{recipe.teacher}` ({licence}), looked at in {recipe.teacher_size} px. The \
student started from random weights (seed {recipe.seed}) and regressed the teacher's tokens; no \
tensor of the teacher was copied.
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

{notes}"""
    return text.rstrip() + "\n"
