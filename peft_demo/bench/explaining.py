"""How well `inference.occlusion` finds what an answer rests on.

Deletion and insertion (Petsiuk, Das and Saenko 2018, section 3.2): the places of a picture are
covered, or uncovered, in the order of the map, and the answer's probability is read after each
step. A true map takes it away soon and brings it back soon; a random order is the measure for both.
On the bundled arrows the truth is known too: the arrow.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

import torch
from torch import Tensor
from torch.nn import functional as F

from ..contracts.specs import DataSpec
from ..data import Dataset, split, stack
from ..inference import Attached
from ..inference.occlusion import CELLS, mean_colour, occlude

STEPS = 14
HEAD = ("adapter", "images", "deletion", "random", "insertion", "random", "inside", "area")


@dataclass(frozen=True)
class Explained:
    """Means over the images, all from 0 to 1."""

    adapter: str
    images: int
    deletion: float
    """The answer's probability while places are covered, the most important first: less is
    better."""
    random_deletion: float
    insertion: float
    """The same while they are uncovered: more is better."""
    random_insertion: float
    inside: float | None = None
    """Share of the map on what is drawn; None where it is not known what that is."""
    area: float | None = None
    """Share of the picture that is drawn on: what a map without knowledge would have inside."""


def measure(chosen: Attached, dataset: Dataset, spec: DataSpec, images: int) -> Explained:
    """On `images` of the test images of its own run at most, those that the run's seed draws."""
    parts = split(dataset, spec.shots, spec.seed)
    generator = torch.Generator().manual_seed(spec.seed)
    order = torch.randperm(len(parts.test), generator=generator)[:images]
    examples = [parts.test[number] for number in order.tolist()]
    pixels, _ = stack(examples, chosen.backbone.size, window=chosen.card.picture_window)
    is_drawn = (spec.source, spec.name) == ("bundled", "shapes")
    each = [_one(chosen, image, generator, is_drawn) for image in pixels]
    means = {name: fmean(one[name] for one in each) for name in each[0]}
    return Explained(chosen.card.name, len(each), **means)


def _one(
    chosen: Attached, image: Tensor, generator: torch.Generator, is_drawn: bool
) -> dict[str, float]:
    """The figures of one image, by their names in `Explained`."""
    found = occlude(chosen, image)
    by_map = found.drops.flatten().argsort(descending=True)
    by_chance = torch.randperm(CELLS**2, generator=generator)
    figures = {}
    for start, order in (("", by_map), ("random_", by_chance)):
        deleted, inserted = _curves(chosen, image, found.label, order)
        figures |= {f"{start}deletion": deleted, f"{start}insertion": inserted}
    return figures | _inside(image, found.drops) if is_drawn else figures


def _curves(chosen: Attached, image: Tensor, label: int, order: Tensor) -> tuple[float, float]:
    """Mean probability of the class while places are covered in this order, and uncovered."""
    plain = mean_colour(image).expand_as(image)
    covers = list(_covers(order, image.shape[-1]))
    deleted = [torch.where(cover, plain, image) for cover in covers]
    inserted = [torch.where(cover, image, plain) for cover in covers]
    said = chosen.answer(torch.stack(deleted + inserted)).probabilities[:, label]
    first, second = said.split(len(covers))
    return first.mean().item(), second.mean().item()


def _covers(order: Tensor, size: int) -> Iterator[Tensor]:
    """Which pixels [S S] the first places of the order cover: none, then more, at last all."""
    for count in torch.linspace(0, len(order), STEPS + 1).round().int().tolist():
        places = torch.zeros(len(order))
        places[order[:count]] = 1
        grid = places.view(1, 1, CELLS, CELLS)
        yield F.interpolate(grid, size=(size, size), mode="nearest-exact")[0, 0].bool()


def _inside(image: Tensor, drops: Tensor) -> dict[str, float]:
    """Share of the map on the arrow, and the arrow's share of the picture, whose corners are
    paper."""
    arrow = (image != image[:, :1, :1]).any(dim=0).float()
    by_place = F.adaptive_avg_pool2d(arrow[None, None], CELLS)[0, 0]
    drops = drops.clamp(min=0)
    total = drops.sum().clamp(min=1e-9)
    inside = (drops * by_place).sum() / total
    return {"inside": inside.item(), "area": arrow.mean().item()}


def rows(found: Sequence[Explained]) -> list[tuple[str, ...]]:
    """The table."""
    cells = []
    for one in found:
        figures = (one.deletion, one.random_deletion, one.insertion, one.random_insertion)
        known = ["–" if share is None else f"{share:.2f}" for share in (one.inside, one.area)]
        cells.append((one.adapter, str(one.images), *(f"{value:.2f}" for value in figures), *known))
    return [HEAD, *cells]
