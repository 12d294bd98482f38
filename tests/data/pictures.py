"""Small pictures, folders and zips to test with."""

import io
import struct
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image

from peft_demo.contracts.specs import DataSpec
from peft_demo.data.arrange import arrange
from peft_demo.data.listing import File, Listing

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


def png_of_16_bits(values: np.ndarray) -> bytes:
    """A PNG of uint16 [H W C]: grey, grey and alpha, RGB, RGBA; Pillow writes the first only."""
    height, width, channels = values.shape
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 16, kind, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff_of_16_bits(values: np.ndarray, order: str = "<", turned: int = 1) -> bytes:
    """A TIFF of uint16 [H W 3], packed by deflate. `order` is that of its bytes, `turned` an EXIF
    orientation."""
    height, width, _ = values.shape
    content = zlib.compress(values.astype(f"{order}u2").tobytes())
    tags = {256: width, 257: height, 258: 0, 259: 8, 262: 2, 273: 0, 274: turned, 277: 3}
    tags |= {278: height, 279: len(content)}
    bits = 8 + 2 + 12 * len(tags) + 4
    out = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, len(tags))
    for tag, value in tags.items():
        if tag in (258, 273, 279):
            place = {258: bits, 273: bits + 6, 279: value}[tag]
            kind, count = (3, 3) if tag == 258 else (4, 1)
            out += struct.pack(f"{order}HHII", tag, kind, count, place)
        else:
            out += struct.pack(f"{order}HHIHH", tag, 3, 1, value, 0)
    return out + struct.pack(f"{order}I3H", 0, 16, 16, 16) + content


def twelve_bits(number: int = 0, side: int = 24) -> np.ndarray:
    """uint16 [S S 3] of values below 4096, another picture for each number; 0 and 4095 are among
    them."""
    shape = (side, side, 3)
    values = np.random.default_rng(number).integers(0, 4096, shape).astype(np.uint16)
    values[0] = 0
    values[1] = 4095
    return values


def scaled(values: np.ndarray, top: int = 4095) -> np.ndarray:
    """uint8 of values from 0 to `top`, as a person scales them beforehand."""
    return (values / top * 255).clip(0, 255).round().astype(np.uint8)


_ANY = png()
"""Where only names matter, all pictures are this one."""


def named(folders: Mapping[str, int]) -> list[str]:
    """{"train/cat": 2} → ["train/cat/0.png", "train/cat/1.png"]"""
    return [f"{folder}/{n}.png" for folder, count in folders.items() for n in range(count)]


def arranged(names: Iterable[str], texts: Mapping[str, str | bytes] | None = None, **reading):
    """The dataset of pictures called so, with these tables beside them. `reading` are fields of the
    spec."""
    contents = dict.fromkeys(names, _ANY)
    for name, text in (texts or {}).items():
        contents[name] = text.encode() if isinstance(text, str) else text
    files = [
        File(tuple(name.split("/")), len(content), partial(io.BytesIO, content))
        for name, content in contents.items()
    ]
    return arrange("set", Listing(files), DataSpec("folder", "set", **reading))


def places(dataset) -> dict[str, dict[str, int]]:
    """{"train": {"cat": 2}}: how many pictures of each class a split holds."""
    counts: dict[str, dict[str, int]] = {}
    for example in dataset.examples:
        of_part = counts.setdefault(example.part, {})
        label = dataset.classes[example.label]
        of_part[label] = of_part.get(label, 0) + 1
    return counts


def flags(dataset) -> list[str]:
    """The alternatives as the command line takes them."""
    return [alternative.flags for alternative in dataset.alternatives]
