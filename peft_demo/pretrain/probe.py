"""Linear probes: how far do frozen features of few labelled photos go on photo sets that training never saw?

Fixed in advance for every set and model: class token after the final norm, plain bicubic resize, features standardised
on the training photos, scikit-learn's logistic regression as it comes, all test photos.
"""

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


@dataclass(frozen=True)
class ImageSet:
    """Photos of one labelled set: uint8 [n, 3, size, size] and class names [n], for training and for testing."""

    name: str
    train: tuple[torch.Tensor, np.ndarray]
    test: tuple[torch.Tensor, np.ndarray]


def load_set(source: Path, size: int) -> ImageSet:
    """Reads `.../train/<class>/<image>` and `.../test/<class>/<image>` from a folder or zip.

    Raises ValueError when either part is empty.
    """
    return ImageSet(Path(source).stem, _part(source, "train", size), _part(source, "test", size))


def _part(source: Path, part: str, size: int) -> tuple[torch.Tensor, np.ndarray]:
    names = [n for n in archives.members(source) if part in PurePosixPath(n).parts[:-2]]
    found = [
        (PurePosixPath(n).parts[-2], _pixels(image, size))
        for n, image in archives.images(source, names)
    ]
    if not found:
        raise ValueError(f"{source} has no {part}/<class>/<image> inside")
    return torch.stack([pixels for _, pixels in found]), np.array([label for label, _ in found])


def _pixels(image: Image.Image, size: int) -> torch.Tensor:
    return torch.from_numpy(np.array(image.resize((size, size), Image.Resampling.BICUBIC))).permute(
        2, 0, 1
    )


@torch.inference_mode()
def features(
    model: nn.Module, images: torch.Tensor, mean: float = 0.5, deviation: float = 0.5
) -> np.ndarray:
    """What a headless model hands to a head, for uint8 images [n, 3, H, W]: float32 [n, D]."""
    device = next(model.parameters()).device
    return np.concatenate(
        [
            model((batch.to(device).float() / 255 - mean) / deviation).float().cpu().numpy()
            for batch in images.split(100)
        ]
    )


def probe(
    model: nn.Module, data: ImageSet, shots: int = 16, seeds: tuple[int, ...] = (0, 1, 2)
) -> list[float]:
    """Test accuracy in percent for each seed; the seed chooses `shots` training photos of every class."""
    model.eval()
    (train, labels) = data.train
    (test, truth) = data.test
    train = features(model, train)
    test = features(model, test)
    return [_accuracy(train, labels, test, truth, _few(labels, shots, seed)) for seed in seeds]


def _few(labels: np.ndarray, shots: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.concatenate(
        [rng.permutation(np.flatnonzero(labels == name))[:shots] for name in np.unique(labels)]
    )


def _accuracy(
    train: np.ndarray, labels: np.ndarray, test: np.ndarray, truth: np.ndarray, few: np.ndarray
) -> float:
    classifier = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return 100 * float(classifier.fit(train[few], labels[few]).score(test, truth))
