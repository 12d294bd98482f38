"""An adapter's answer twice: with its seams in the tree, and folded into the weights, at the frozen model's speed."""

from pathlib import Path
from statistics import median
from time import perf_counter

import torch
from torch import Tensor, nn

from .. import adapters, data
from ..contracts.cards import Prediction, SideBySide
from ..training import normalised
from .predictor import Attached, best

ROUNDS = 7
"""Forward passes of each model, taken in turns; the first is not counted."""


class Merged:
    """Keeps the last merged model, so that the next image finds it ready."""

    def __init__(self):
        self._last: tuple[Attached, nn.Module] | None = None

    def answer(self, chosen: Attached, id: str, image: Path | bytes, top: int = 5) -> SideBySide:
        """Both answers, and how many times the frozen model's time each takes; `CannotMerge` says why not."""
        models = chosen.backbone.model, chosen.model, self._model(chosen)
        pixels = data.to_tensor(data.decode(image), chosen.backbone.size)[None]
        x = normalised(pixels, chosen.backbone)
        rounds = [[_timed(model, x) for model in models] for _ in range(ROUNDS)][1:]
        (_, attached), (_, merged) = rounds[-1][1:]
        said = [
            Prediction(id, best(logits, chosen.card, top), 1000 * median(turn[n][0] for turn in rounds))
            for n, logits in ((1, attached), (2, merged))
        ]
        ratios = [median(turn[n][0] / turn[0][0] for turn in rounds) for n in (1, 2)]
        return SideBySide(*said, *ratios, (attached - merged).abs().max().item())

    def _model(self, chosen: Attached) -> nn.Module:
        if self._last is None or self._last[0] is not chosen:
            self._last = chosen, adapters.merge(chosen.backbone, chosen.adapter).eval()
        return self._last[1]


@torch.inference_mode()
def _timed(model: nn.Module, x: Tensor) -> tuple[float, Tensor]:
    """(seconds, softmax of the outputs [C], on the CPU) of a forward pass of one image."""
    began = perf_counter()
    out = model(x)[0].float().softmax(dim=-1).cpu()
    return perf_counter() - began, out
