"""Linear probes: how far do frozen features of few labelled photos go on sets never trained on?

Fixed in advance for every set and model: class token after the final norm, plain bicubic resize,
features standardised on the training photos, scikit-learn's logistic regression as it comes, all
test photos.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np
import torch
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

from . import archives

CHUNK = 100
"""Photos a forward pass."""


@dataclass(frozen=True)
class ImageSet:
    """A labelled set: uint8 photos [n 3 size size] and class names [n], to train and to test."""

    name: str
    train: tuple[torch.Tensor, np.ndarray]
    test: tuple[torch.Tensor, np.ndarray]


def load_set(source: Path, size: int) -> ImageSet:
    """Reads `.../train/<class>/<image>` and `.../test/<class>/<image>` from a folder or zip.

    Raises `ValueError` when either part is empty.
    """
    return ImageSet(Path(source).stem, _part(source, "train", size), _part(source, "test", size))


@torch.inference_mode()
def features(
    model: nn.Module, images: torch.Tensor, mean: float = 0.5, deviation: float = 0.5
) -> np.ndarray:
    """What a headless model hands to a head, for uint8 images [n 3 H W]: float32 [n D]."""
    device = next(model.parameters()).device
    rows = []
    for batch in images.split(CHUNK):
        pixels = batch.to(device).float() / 255
        rows.append(model((pixels - mean) / deviation).float().cpu().numpy())
    return np.concatenate(rows)


def probe(
    model: nn.Module, data: ImageSet, shots: int = 16, seeds: Sequence[int] = (0, 1, 2)
) -> list[float]:
    """Test accuracy in percent for each seed, which chooses `shots` photos a class to train on."""
    model.eval()
    images, labels = data.train
    test_images, truth = data.test
    train = features(model, images)
    test = features(model, test_images)
    accuracies = []
    for seed in seeds:
        few = _few(labels, shots, seed)
        classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
        classifier.fit(train[few], labels[few])
        accuracies.append(100 * float(classifier.score(test, truth)))
    return accuracies


def _part(source: Path, part: str, size: int) -> tuple[torch.Tensor, np.ndarray]:
    members = archives.members(source)
    names = [name for name in members if part in PurePosixPath(name).parts[:-2]]
    pixels = []
    labels = []
    for name, image in archives.images(source, names):
        pixels.append(_pixels(image, size))
        labels.append(PurePosixPath(name).parts[-2])
    if not pixels:
        raise ValueError(f"{source} has no {part}/<class>/<image> inside")
    return torch.stack(pixels), np.array(labels)


def _pixels(image: Image.Image, size: int) -> torch.Tensor:
    resized = image.resize((size, size), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(resized)).permute(2, 0, 1)


def _few(labels: np.ndarray, shots: int, seed: int) -> np.ndarray:
    """Positions of `shots` photos of each class."""
    rng = np.random.default_rng(seed)
    chosen = []
    for name in np.unique(labels):
        own = np.flatnonzero(labels == name)
        chosen.append(rng.permutation(own)[:shots])
    return np.concatenate(chosen)
