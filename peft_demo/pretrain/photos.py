"""All photos once, as one array of bytes on disk: each is decoded once, not once a pass."""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..storage.atomic import atomic_write
from . import archives

Listing = list[tuple[Path, list[str]]]
"""Sources with the names of the images in each."""


def load_photos(sources: Sequence[Path], side: int, work: Path) -> np.ndarray:
    """The photos of `sources` as read-only uint8 [P 3 side side]: shorter edge `side`, centre kept.

    The array lies in `work` under a name derived from the sources and is built on the first call
    only. Raises `ValueError` when no photo could be read.
    """
    listing = [(Path(source), archives.members(source)) for source in sources]
    path = Path(work) / f"photos{side}_{_key(listing, side)}.npy"
    if not path.exists():
        _build(listing, side, path)
    return np.load(path, mmap_mode="r")


def _key(listing: Listing, side: int) -> str:
    sources = [[source.name, source.stat().st_size, names] for source, names in listing]
    text = json.dumps([*sources, side])
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _build(listing: Listing, side: int, path: Path) -> None:
    photos = []
    for source, names in listing:
        photos += [_pixels(image, side) for _, image in archives.images(source, names)]
    if not photos:
        sources = ", ".join(str(source) for source, _ in listing)
        raise ValueError(f"no readable photo in {sources}")
    with atomic_write(path) as draft, open(draft, "wb") as file:
        np.save(file, np.stack(photos))


def _pixels(image: Image.Image, side: int) -> np.ndarray:
    square = ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)
    return np.asarray(square).transpose(2, 0, 1)
