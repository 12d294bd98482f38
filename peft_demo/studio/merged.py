"""An adapter's answer twice: with its seams in the tree, and folded into the weights, at the frozen model's speed."""

from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from .. import data
from ..contracts.cards import Prediction, SideBySide
from ..inference import normalize, top_classes
from .predictor import Attached

ROUNDS = 7
"""Forward passes of each model, taken in turns; the first is not counted."""


def side_by_side(
    chosen: Attached, merged: nn.Module, id: str, image: Path | bytes, top: int = 5
) -> SideBySide:
    """Both answers, and how many times the frozen model's time each takes."""
    models = chosen.backbone.model, chosen.model, merged
    pixels = data.to_tensor(data.decode(image), chosen.backbone.size)[None]
    x = normalize(pixels, chosen.backbone)
    rounds = [[_timed(model, x) for model in models] for _ in range(ROUNDS)][1:]
    _, (_, attached), (_, folded) = rounds[-1]
    said = [
        Prediction(
            id,
            top_classes(chances, chosen.card.classes, top),
            1000 * median(turn[n][0] for turn in rounds),
        )
        for n, chances in ((1, attached), (2, folded))
    ]
    ratios = [median(turn[n][0] / turn[0][0] for turn in rounds) for n in (1, 2)]
    return SideBySide(*said, *ratios, (attached - folded).abs().max().item())


@torch.inference_mode()
def _timed(model: nn.Module, x: Tensor) -> tuple[float, Tensor]:
    """(seconds, softmax of the outputs [C], on the CPU) of a forward pass of one image."""
    began = perf_counter()
    out = model(x)[0].float().softmax(dim=-1).cpu()
    return perf_counter() - began, out
