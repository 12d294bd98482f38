"""What in a picture an answer rests on: what it loses when a place is covered.

Occlusion (Zeiler and Fergus 2014, section 4.2): a square of the picture's mean colour is put at one
place after the other, and the answer's log-odds are read again. It asks the model itself, so it
needs no gradients and holds for every backbone and method; it costs `SQUARES` more answers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from PIL.Image import Image
from torch import Tensor
from torch.nn import functional as F

from ..contracts.explanation import Explanation
from ..contracts.progress import Report
from ..data import lossless, to_tensor
from ..data.heat_map import heat_map
from .attached import Attached
from .predict import batch_at, check_finite

CELLS = 14
"""Rows and columns of places."""
SIDE = 2
"""Of the square, in places: each step moves it by half of itself."""
STEPS = CELLS - SIDE + 1
"""Where the square can stand, along each edge."""
SQUARES = STEPS**2
FAINT = 0.5
"""Log-odds: a smaller drop is not drawn in full colour, even if it is the largest."""
SHOWN_SIDE = 280
"""Pixels that the drawn picture has at least."""


@dataclass(frozen=True)
class Occluded:
    """What covering did to an answer."""

    label: int
    """Number of the answer's class."""
    probability: float
    least: float
    drops: Tensor
    """Mean loss of log-odds over the squares that cover a place: [CELLS CELLS]."""

    @property
    def strengths(self) -> Tensor:
        """The drops from 0 to 1, 1 the largest: [CELLS CELLS]. Where none matters all are small."""
        drops = self.drops.clamp(min=0)
        return drops / drops.max().clamp(min=FAINT)


def explain(
    attached: Attached, picture: Image, name: str, report: Report | None = None
) -> Explanation:
    """What the answer to a decoded `picture` rests on; `name` is what the adapter is called.

    Raises `BadAdapter` if the answer is not made of finite numbers.
    """
    image = to_tensor(picture, attached.backbone.size)
    found = occlude(attached, image, report)
    drawn = heat_map(image, found.strengths)
    return Explanation(
        name,
        attached.card.classes[found.label],
        found.probability,
        found.least,
        tuple(tuple(row) for row in found.drops.tolist()),
        lossless(drawn, SHOWN_SIDE),
    )


def occlude(attached: Attached, image: Tensor, report: Report | None = None) -> Occluded:
    """Covers place after place of a uint8 image [3 S S]."""
    probabilities = attached.answer(image[None]).probabilities[0]
    check_finite(probabilities)
    label = int(probabilities.argmax())
    covered = []
    for images in _batches(image, batch_at(attached.backbone.size)):
        covered.append(attached.answer(images).probabilities)
        if report:
            report("covering place after place", sum(map(len, covered)) / SQUARES)
    left = torch.cat(covered)
    drops = _by_place(_log_odds(probabilities[None], label) - _log_odds(left, label))
    return Occluded(label, probabilities[label].item(), left[:, label].min().item(), drops)


def _log_odds(probabilities: Tensor, label: int) -> Tensor:
    """Of one class, from probabilities [N C] of all: [N]. Exact also next to 1."""
    others = probabilities.clone()
    others[:, label] = 0
    tiny = torch.finfo(others.dtype).tiny
    chance = probabilities[:, label].clamp(min=tiny)
    return chance.log() - others.sum(dim=1).clamp(min=tiny).log()


def _batches(image: Tensor, batch: int) -> Iterator[Tensor]:
    """The image with each square covered, row by row: uint8 [B 3 S S]."""
    mean = mean_colour(image)
    edges = torch.linspace(0, image.shape[-1], CELLS + 1).round().int().tolist()
    squares = [(row, column) for row in range(STEPS) for column in range(STEPS)]
    for start in range(0, SQUARES, batch):
        chosen = squares[start : start + batch]
        covered = image.repeat(len(chosen), 1, 1, 1)
        for one, (row, column) in zip(covered, chosen, strict=True):
            height = slice(edges[row], edges[row + SIDE])
            width = slice(edges[column], edges[column + SIDE])
            one[:, height, width] = mean
        yield covered


def mean_colour(image: Tensor) -> Tensor:
    """Of an image [3 S S]: uint8 [3 1 1]."""
    return image.float().mean(dim=(1, 2), keepdim=True).round().to(torch.uint8)


def _by_place(drops: Tensor) -> Tensor:
    """Drops of all squares [SQUARES] → their mean over the squares at each place [CELLS CELLS]."""
    square = torch.ones(1, 1, SIDE, SIDE)
    grid = drops.view(1, 1, STEPS, STEPS)
    sums = F.conv_transpose2d(grid, square)
    counts = F.conv_transpose2d(torch.ones_like(grid), square)
    return (sums / counts)[0, 0]
