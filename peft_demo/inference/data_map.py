"""A map of pictures: their features before and after adaptation, drawn on a plane.

Features are what the head is given, [N D], each divided by its length: their distances are cosine
distances, as in `doubt`. PCA turns them so that they spread most along the plane (Pearson 1901);
t-SNE keeps near ones near (van der Maaten and Hinton, JMLR 2008). "After" is turned and mirrored so
that it lies like "before" as well as it can (orthogonal Procrustes; Schönemann 1966).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain, zip_longest
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from ..contracts.data_map import (
    DRAWINGS,
    FEWEST,
    MOST,
    PARTS,
    TRAINING,
    TSNE,
    DataMap,
    MappedPicture,
    Place,
)
from ..contracts.errors import BadData, BadValue
from ..contracts.progress import Report
from ..contracts.specs import DataSpec
from ..contracts.window import Window
from ..data import Dataset, Example, decode, split, stack, thumbnail
from .attached import Attached
from .predict import check_finite
from .scoring import again_split, as_trained, never_seen, offered, tested

BATCH = 64
"""Images that are in memory at a time."""
PERPLEXITY = 30.0
"""Neighbours of a picture that t-SNE looks at, about; fewer where there are few pictures."""
ALL_THE_SAME = 1e-10
"""Variance of features of length one, below which there is nothing to draw."""
PICTURE_SIDE = 48
"""Pixels of the longest edge of a small picture."""


class Shown(NamedTuple):
    """Which pictures are drawn."""

    examples: Sequence[Example]
    numbers: Tensor
    """Classes of the adapter by those of the dataset."""
    window: Window


@dataclass(frozen=True)
class Features:
    """Of N pictures, on the CPU."""

    before: Tensor
    """Without the adapter, [N D]."""
    after: Tensor
    """With the adapter, [N D]."""
    truth: Tensor
    """Classes of the adapter, [N]."""
    answers: Tensor
    """What the adapter says, [N]."""


def own_map(
    chosen: Attached,
    dataset: Dataset,
    data: DataSpec,
    part: str,
    drawing: str,
    report: Report | None = None,
) -> DataMap:
    """The test or training images (`part`) of the adapter's own run, drawn.

    Raises `BadData` if the dataset is not the same any more, or there are too few.
    """
    _check(part, drawing)
    again = again_split(chosen, dataset, data, report)
    examples = again.train if part == TRAINING else tested(chosen, again)
    numbers = torch.arange(len(dataset.classes))
    shown = Shown(examples, numbers, chosen.card.picture_window)
    return _map(chosen, shown, data.seed, part, drawing, report)


def data_map(
    chosen: Attached,
    dataset: Dataset,
    data: DataSpec,
    part: str,
    drawing: str,
    report: Report | None = None,
) -> DataMap:
    """Images of any dataset with classes of the adapter, drawn: those that `scoring.score` takes,
    or the training images of its few-shot split.

    Raises `BadData` for a class that was not trained, or if there are too few images.
    """
    _check(part, drawing)
    if part == TRAINING:
        examples = split(dataset, data.shots, data.seed, report).train
    else:
        examples = never_seen(offered(dataset), chosen)
    used = {example.label for example in examples}
    numbers = as_trained(dataset.classes, chosen.card.classes, used)
    shown = Shown(examples, numbers, dataset.window.completed_by(chosen.card.picture_window))
    return _map(chosen, shown, data.seed, part, drawing, report)


def equally(examples: Sequence[Example], seed: int, most: int = MOST) -> list[Example]:
    """At most `most` of the examples, equally many of each class as far as there are, class by
    class; a hash of seed and name chooses, so that the order of files does not matter."""
    queue = sorted(examples, key=lambda e: (sha256(f"{seed} {e.name}".encode()).digest(), e.name))
    classes: dict[int, list[Example]] = {}
    for example in queue:
        classes.setdefault(example.label, []).append(example)
    in_turn = chain.from_iterable(zip_longest(*(classes[label] for label in sorted(classes))))
    chosen = [example for example in in_turn if example is not None][:most]
    return sorted(chosen, key=lambda example: example.label)


def nearest_agree(features: Tensor, labels: Tensor) -> Tensor:
    """Whether the most similar other image (by cosine) has the same label: bool [N], of features
    [N D] with labels [N]."""
    directions = F.normalize(features, dim=1)
    cosines = (directions @ directions.T).fill_diagonal_(-torch.inf)
    return labels[cosines.argmax(dim=1)] == labels


def draw(features: Tensor, drawing: str) -> tuple[np.ndarray, float | None]:
    """Features [N D] on a plane, [N 2] around the origin, and the share of their variance that
    is kept: None for t-SNE, and where all features are the same.

    The same features give the same drawing.
    """
    directions = F.normalize(features, dim=1).double().numpy()
    variance = float(directions.var(axis=0).sum())
    if variance < ALL_THE_SAME:
        return np.zeros((len(directions), 2)), None
    places = _tsne(directions) if drawing == TSNE else _pca(directions)
    kept = None if drawing == TSNE else float(places.var(axis=0).sum()) / variance
    return places - places.mean(axis=0), kept


def turned_like(places: np.ndarray, model: np.ndarray) -> np.ndarray:
    """Places [N 2] around the origin, turned or mirrored so that they lie as near as they can to
    those of the model [N 2]."""
    left, _, right = np.linalg.svd(places.T @ model)
    return places @ (left @ right)


def in_unit_square(places: np.ndarray) -> list[Place]:
    """Places [N 2] moved and scaled, both axes alike, so that the larger extent is from 0 to 1."""
    low, high = places.min(axis=0), places.max(axis=0)
    extent = (high - low).max() or 1.0
    centred = (places - (low + high) / 2) / extent + 0.5
    return [Place(round(x, 4), round(y, 4)) for x, y in centred.tolist()]


def _check(part: str, drawing: str) -> None:
    for value, known in ((part, PARTS), (drawing, DRAWINGS)):
        if value not in known:
            raise BadValue(f"a map takes {' or '.join(known)}, got {str(value)[:100]!r}.")


def _map(
    chosen: Attached, shown: Shown, seed: int, part: str, drawing: str, report: Report | None
) -> DataMap:
    examples = equally(shown.examples, seed)
    if len(examples) < FEWEST:
        raise BadData(f"a map takes {FEWEST} pictures, and here are {len(examples)}.", "Add some.")
    features = _features(chosen, shown._replace(examples=examples), report)
    if report:
        report("drawing", 0.9)
    first, kept_before = draw(features.before, drawing)
    second, kept_after = draw(features.after, drawing)
    places = in_unit_square(first), in_unit_square(turned_like(second, first))
    small = [thumbnail(decode(e.read(), shown.window), PICTURE_SIDE) for e in examples]
    classes, pictures = _pictures(features, places, small, chosen.card.classes)
    return DataMap(classes, pictures, len(shown.examples), drawing, part, kept_before, kept_after)


def _features(chosen: Attached, shown: Shown, report: Report | None) -> Features:
    frozen = chosen.at(0)
    rows: list[tuple[Tensor, ...]] = []
    for done in range(0, len(shown.examples), BATCH):
        if report:
            report("looking at pictures", 0.9 * done / len(shown.examples))
        batch = shown.examples[done : done + BATCH]
        images, labels = stack(batch, chosen.backbone.size, window=shown.window)
        after = chosen.read(images)
        probabilities = chosen.judge(after).probabilities
        check_finite(probabilities)
        answers = probabilities.argmax(dim=1)
        rows.append((frozen.read(images), after, shown.numbers[labels], answers))
    return Features(*map(torch.cat, zip(*rows, strict=True)))


def _pictures(
    features: Features,
    places: tuple[Sequence[Place], Sequence[Place]],
    small: Sequence[bytes],
    names: tuple[str, ...],
) -> tuple[tuple[str, ...], tuple[MappedPicture, ...]]:
    """The classes that occur, and the pictures with their numbers."""
    truth, answers = features.truth.tolist(), features.answers.tolist()
    occur = sorted({*truth, *answers})
    facts = zip(
        map(occur.index, truth),
        map(occur.index, answers),
        *places,
        nearest_agree(features.before, features.truth).tolist(),
        nearest_agree(features.after, features.truth).tolist(),
        small,
        strict=True,
    )
    return tuple(names[n] for n in occur), tuple(MappedPicture(*fact) for fact in facts)


def _pca(directions: np.ndarray) -> np.ndarray:
    from sklearn.decomposition import PCA

    return PCA(2, svd_solver="full").fit_transform(directions)


def _tsne(directions: np.ndarray) -> np.ndarray:
    """All pairs are looked at: of so few pictures that is faster than an approximation, and the
    same each time."""
    from sklearn.manifold import TSNE

    perplexity = min(PERPLEXITY, (len(directions) - 1) / 3)
    tsne = TSNE(2, perplexity=perplexity, init="pca", method="exact", random_state=0)
    return tsne.fit_transform(directions).astype(np.float64)
