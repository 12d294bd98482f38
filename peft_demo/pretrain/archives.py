"""Images out of folders and zips that nobody vouches for: read by name, never extracted, sizes capped."""

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path

from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
MAX_BYTES = 32 * 2**20
MAX_PIXELS = 50_000_000


def members(source: Path) -> list[str]:
    """Names of the image files in a folder or a zip, sorted. Raises FileNotFoundError when there is no such source."""
    source = Path(source)
    if source.is_dir():
        names = [p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()]
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    else:
        raise FileNotFoundError(f"{source} is neither a folder nor a zip of images")
    return sorted(n for n in names if n.lower().endswith(SUFFIXES))


def images(source: Path, names: list[str]) -> Iterator[tuple[str, Image.Image]]:
    """Each named member as (name, RGB image), in the given order. What is too large or undecodable is left out."""
    source = Path(source)
    archive = None if source.is_dir() else zipfile.ZipFile(source)
    try:
        for name in names:
            image = _decode(source, archive, name)
            if image is not None:
                yield name, image
    finally:
        if archive is not None:
            archive.close()


def _decode(source: Path, archive: zipfile.ZipFile | None, name: str) -> Image.Image | None:
    try:
        with open(source / name, "rb") if archive is None else archive.open(name) as file:
            data = file.read(
                MAX_BYTES + 1
            )  # counted while inflating: a header may lie about the size
        if len(data) > MAX_BYTES:
            return None
        image = Image.open(io.BytesIO(data))
        return image.convert("RGB") if image.width * image.height <= MAX_PIXELS else None
    except (
        Exception
    ):  # a decoder fed with hostile bytes may raise anything; one bad photo must not end a run
        return None
