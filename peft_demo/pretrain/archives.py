"""Images out of folders and zips that nobody vouches for.

They are read by name and never extracted; their sizes are capped.
"""

import io
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from PIL import Image

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp", ".bmp")
MAX_BYTES = 32 * 2**20
MAX_PIXELS = 50_000_000


def members(source: Path) -> list[str]:
    """Names of the image files in a folder or zip, sorted; `FileNotFoundError` if it is neither."""
    source = Path(source)
    if source.is_dir():
        names = [
            path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file()
        ]
    elif zipfile.is_zipfile(source):
        with zipfile.ZipFile(source) as archive:
            names = archive.namelist()
    else:
        raise FileNotFoundError(f"{source} is neither a folder nor a zip of images")
    return sorted(name for name in names if name.lower().endswith(SUFFIXES))


def images(source: Path, names: Sequence[str]) -> Iterator[tuple[str, Image.Image]]:
    """Each named member as (name, RGB image), in the order of `names`.

    What is too large or cannot be decoded is left out.
    """
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
    # A decoder fed with hostile bytes may raise anything; one bad photo must not end a run.
    try:
        data = _read(source, archive, name)
        if len(data) > MAX_BYTES:
            return None
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MAX_PIXELS:
            return None
        return image.convert("RGB")
    except Exception:
        return None


def _read(source: Path, archive: zipfile.ZipFile | None, name: str) -> bytes:
    """At most one byte more than is allowed, counted while inflating: a header may lie."""
    with open(source / name, "rb") if archive is None else archive.open(name) as file:
        return file.read(MAX_BYTES + 1)
