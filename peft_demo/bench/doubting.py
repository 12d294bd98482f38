"""How well adapters tell what is none of their classes, and how true their probabilities are.

Each adapter is shown the test images of its own run, those of every other dataset, noise, and flat
grey.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from ..adapters.class_means import distances
from ..contracts.doubt import LIMIT
from ..contracts.errors import BadData, BadValue
from ..contracts.specs import DataSpec
from ..data import Dataset, split, stack
from ..inference import Attached
from ..inference.figures import figures

MOST = 200
"""Images of a dataset that are shown."""
NOISES = 100
GREYS = 50
HEAD = ("adapter", "shown", "images", "AUROC", "called none")
OWN_HEAD = ("adapter", "images", "called none", "calibration error before", "after", "bytes")

Material = Mapping[str, tuple[DataSpec, Dataset]]
"""The datasets by name."""


@dataclass(frozen=True)
class Shown:
    """What an adapter made of images of something else."""

    adapter: str
    other: str
    images: int
    auroc: float
    """Chance that such an image lies farther from the classes than a test image of them."""
    called_none: float
    """Share of the images, 0 to 1."""


@dataclass(frozen=True)
class Own:
    """What an adapter made of the test images of its own run."""

    adapter: str
    images: int
    called_none: float
    error_before: float
    """Calibration error (ECE) before the temperature, and after."""
    error_after: float
    means_bytes: int
    """That the class means take in the file."""


def measure(id: str, chosen: Attached, material: Material) -> tuple[Own, list[Shown]]:
    """One adapter, shown everything. `BadValue` if it cannot doubt, `BadData` if none of the
    datasets is the one of its run."""
    means = chosen.adapter.class_means
    if means is None:
        raise BadValue(f"{id} cannot tell what is none of its classes.", "See `calibrate`.")
    own, others = _images(chosen, material)
    others |= {"noise": _noise(chosen.backbone.size), "flat grey": _greys(chosen.backbone.size)}
    images, labels = own
    features = chosen.read(images)
    near = distances(features, means)
    shown = []
    for other, strange in others.items():
        strange_features = chosen.read(strange)
        far = distances(strange_features, means)
        called = _called_none(chosen, strange_features)
        shown.append(Shown(id, other, len(strange), _auroc(near, far), called))
    before, after = _errors(chosen, features, labels)
    called = _called_none(chosen, features)
    return Own(id, len(labels), called, before, after, means.nbytes), shown


def _images(
    chosen: Attached, material: Material
) -> tuple[tuple[Tensor, Tensor], dict[str, Tensor]]:
    """Its own test images with their labels, and those of the other datasets."""
    own = None
    others = {}
    size = chosen.backbone.size
    window = chosen.card.picture_window
    for name, (spec, dataset) in material.items():
        parts = split(dataset, spec.shots, spec.seed)
        images, labels = stack(_some(parts.test), size, window=window)
        if parts.fingerprint == chosen.card.split:
            own = images, labels
        else:
            others[name] = images
    if own is None:
        raise BadData(f"none of the datasets is the one that {chosen.card.name} was trained on.")
    return own, others


def _some(examples: Sequence[Any]) -> list[Any]:
    """At most `MOST` of them, evenly chosen."""
    stride = max(1.0, len(examples) / MOST)
    return [examples[int(n * stride)] for n in range(min(MOST, len(examples)))]


def _noise(size: int) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    shape = (NOISES, 3, size, size)
    return torch.randint(0, 256, shape, generator=generator, dtype=torch.uint8)


def _greys(size: int) -> Tensor:
    levels = torch.linspace(3, 252, GREYS).to(torch.uint8)
    return levels.view(-1, 1, 1, 1).expand(-1, 3, size, size)


def _auroc(near: Tensor, far: Tensor) -> float:
    from sklearn.metrics import roc_auc_score

    truth = torch.cat([torch.zeros(len(near)), torch.ones(len(far))])
    return float(roc_auc_score(truth.numpy(), torch.cat([near, far]).cpu().numpy()))


def _called_none(chosen: Attached, features: Tensor) -> float:
    doubts = chosen.judge(features).doubts
    assert doubts is not None
    return (doubts > LIMIT).float().mean().item()


def _errors(chosen: Attached, features: Tensor, labels: Tensor) -> tuple[float, float]:
    """Calibration error before the temperature, and with it."""
    after = chosen.judge(features).probabilities
    before = (after.log() * (chosen.card.temperature or 1)).softmax(dim=1)
    names = chosen.card.classes
    errors = [figures(labels, rows, names)["calibration_error"] for rows in (before, after)]
    return errors[0], errors[1]


def rows(shown: Sequence[Shown]) -> list[tuple[str, ...]]:
    """The table of what was shown, the hardest first."""
    ordered = sorted(shown, key=lambda one: one.auroc)
    cells = [
        (one.adapter, one.other, str(one.images), f"{one.auroc:.3f}", f"{one.called_none:.2f}")
        for one in ordered
    ]
    return [HEAD, *cells]


def own_rows(own: Sequence[Own]) -> list[tuple[str, ...]]:
    """The table of what adapters made of their own test images."""
    cells = []
    for one in own:
        errors = f"{one.error_before:.3f}", f"{one.error_after:.3f}"
        share = f"{one.called_none:.3f}"
        cells.append((one.adapter, str(one.images), share, *errors, str(one.means_bytes)))
    return [OWN_HEAD, *cells]


def summary(own: Sequence[Own], shown: Sequence[Shown]) -> str:
    """Both tables in a sentence."""
    aurocs = [one.auroc for one in shown]
    called = [one.called_none for one in shown]
    mine = [one.called_none for one in own]
    before = sum(one.error_before for one in own) / len(own)
    after = sum(one.error_after for one in own) / len(own)
    return (
        f"{len(shown)} pairs: mean AUROC {sum(aurocs) / len(aurocs):.3f}, least {min(aurocs):.3f}, "
        f"{100 * sum(called) / len(called):.1f} % called none; of their own test images "
        f"{100 * sum(mine) / len(mine):.1f} % are, {100 * max(mine):.1f} % at most. "
        f"Mean calibration error {before:.3f} before, {after:.3f} after."
    )
