"""All photos once, as one array of bytes on disk: decoding happens a single time, not once a pass."""

import hashlib
import json
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..storage.atomic import atomic_write
from . import archives


def load_photos(sources: list[Path], side: int, work: Path) -> np.ndarray:
    """The photos of `sources` as read-only uint8 [P, 3, side, side], shorter edge resized to `side`, centre kept.

    The array lies in `work` under a name derived from the sources and is built on the first call only.
    Raises ValueError when no photo could be read.
    """
    listed = [(Path(source), archives.members(source)) for source in sources]
    key = json.dumps(
        [[source.name, source.stat().st_size, names] for source, names in listed] + [side]
    )
    path = Path(work) / f"photos{side}_{hashlib.sha256(key.encode()).hexdigest()[:12]}.npy"
    if not path.exists():
        _build(listed, side, path)
    return np.load(path, mmap_mode="r")


def _build(listed: list[tuple[Path, list[str]]], side: int, path: Path) -> None:
    kept = [
        _pixels(image, side)
        for source, names in listed
        for _, image in archives.images(source, names)
    ]
    if not kept:
        raise ValueError(f"no readable photo in {', '.join(str(source) for source, _ in listed)}")
    with atomic_write(path) as draft, open(draft, "wb") as file:
        np.save(file, np.stack(kept))


def _pixels(image: Image.Image, side: int) -> np.ndarray:
    square = ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)
    return np.asarray(square).transpose(2, 0, 1)
