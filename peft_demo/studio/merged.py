"""An adapter's answer twice: attached, and folded into the weights, which costs nothing to run."""

from collections.abc import Sequence
from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from .. import data
from ..contracts.cards import Prediction, SideBySide
from ..inference import Attached, normalize, top_classes

ROUNDS = 7
"""Forward passes of each model, taken in turns; the first is not counted."""


def side_by_side(
    chosen: Attached, merged: nn.Module, id: str, image: Path | bytes, top: int = 5
) -> SideBySide:
    """Both answers, and the time of each as a multiple of the frozen model's."""
    picture = data.decode(image, chosen.card.picture_window)
    pixels = data.to_tensor(picture, chosen.backbone.size)[None]
    x = normalize(pixels, chosen.backbone)
    models = (chosen.backbone.model, chosen.model, merged)
    frozen_s, attached_s, merged_s = _times(models, x)
    attached_row = _probabilities(chosen.model, x)
    merged_row = _probabilities(merged, x)

    def prediction(row: Tensor, seconds: Sequence[float]) -> Prediction:
        return Prediction(id, top_classes(row, chosen.card.classes, top), 1000 * median(seconds))

    return SideBySide(
        attached=prediction(attached_row, attached_s),
        merged=prediction(merged_row, merged_s),
        attached_ratio=_ratio(attached_s, frozen_s),
        merged_ratio=_ratio(merged_s, frozen_s),
        difference=(attached_row - merged_row).abs().max().item(),
    )


def _times(models: Sequence[nn.Module], x: Tensor) -> list[list[float]]:
    """Seconds of each model's forward passes; in turns, so that all meet the same noise."""
    times: list[list[float]] = [[] for _ in models]
    for _ in range(ROUNDS):
        for model, seconds in zip(models, times, strict=True):
            start = perf_counter()
            _probabilities(model, x)
            seconds.append(perf_counter() - start)
    return [seconds[1:] for seconds in times]


def _ratio(seconds: Sequence[float], frozen: Sequence[float]) -> float:
    return median(mine / theirs for mine, theirs in zip(seconds, frozen, strict=True))


@torch.inference_mode()
def _probabilities(model: nn.Module, x: Tensor) -> Tensor:
    """Softmax of the outputs [C] for one image, on the CPU."""
    return model(x)[0].float().softmax(dim=-1).cpu()
