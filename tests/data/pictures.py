"""Small pictures, folders and zips to test with."""

import io
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

COLOURS = ((200, 30, 30), (30, 160, 60), (40, 60, 210), (240, 200, 40))


def picture(number: int = 0, side: int = 24) -> Image.Image:
    """RGB noise, another one for each number."""
    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def quarters(width: int = 40, height: int = 20) -> Image.Image:
    """Red, green / blue, yellow: whatever turns or mirrors it is seen at its corners."""
    pixels = np.array(COLOURS, dtype=np.uint8).reshape(2, 2, 3)
    return Image.fromarray(pixels).resize((width, height), Image.Resampling.NEAREST)


def encoded(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def png(number: int = 0, side: int = 24) -> bytes:
    return encoded(picture(number, side))


def tree(counts: dict[str, int], start: int = 0) -> dict[str, bytes]:
    """{"train/cat": 2} → {"train/cat/0.png": ..., "train/cat/1.png": ...}, all pictures
    different."""
    names = [f"{folder}/{n}.png" for folder, count in counts.items() for n in range(count)]
    return {name: png(start + number) for number, name in enumerate(names)}


def write_zip(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return path


def write_folder(path: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path
