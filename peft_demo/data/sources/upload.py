"""Zips that were uploaded to the page, kept under the home by a key made of their name and
content."""

import re
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from zipfile import is_zipfile

from ...contracts.errors import BadData, UnknownName
from ...storage.atomic import copy_file
from ...storage.home import Home
from ...storage.names import slug
from ...storage.paths import is_file, is_there
from ..arrange import arrange
from ..dataset import Dataset
from . import Request, Source
from .zip import list_zip

KEY = r"[a-z0-9-]{1,48}-[0-9a-f]{12}\.zip"
"""What keys look like."""
BEGINNING = b"PK\x03\x04"
"""Of a zip that holds anything."""


def keep_zip(home: Home, file: Path) -> str:
    """Stores an uploaded zip; its key, which is the `name` of a spec. The same zip twice is kept
    once."""
    if not is_zipfile(file):
        raise _no_zip(file)
    with open(file, "rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
    key = f"{slug(file.stem, 'photos')}-{digest[:12]}.zip"
    if not is_there(home.uploads / key):
        copy_file(file, home.uploads / key)
    return key


def _no_zip(file: Path) -> BadData:
    """Why there is no zip in it: the list of contents stands at a zip's end, so one of which only a
    part has arrived looks like none.
    """
    with open(file, "rb") as content:
        beginning = content.read(len(BEGINNING))
    if not beginning:
        return BadData(f"{file.name} is empty.", "Zip a folder that holds one folder per class.")
    if beginning == BEGINNING:
        return BadData(
            f"{file.name} is cut off: its end is missing.", "Copy or download it again, whole."
        )
    return BadData(
        f"{file.name} is not a zip file.", "Zip a folder that holds one folder per class."
    )


def find_zip(home: Home, key: str) -> Path:
    """The stored zip; touched, so that one in use does not expire. Raises `UnknownName`."""
    path = home.uploads / key
    if not re.fullmatch(KEY, key) or not is_file(path):
        raise UnknownName("upload", key[:80], (p.name for p in home.uploads.glob("*.zip")))
    with suppress(OSError):
        path.touch()
    return path


def locate(key: str, home: Home | None) -> Path | None:
    """The stored zip, None without a home to look in."""
    return None if home is None else find_zip(home, key)


def open_upload(request: Request) -> Dataset:
    """The zip's class folders."""
    if request.path is None:
        raise BadData(
            f"the upload {request.spec.name!r} is not here any more.", "Put the pictures in again."
        )
    return arrange("Uploaded zip", list_zip(request.path), request.spec, request.report)


UPLOAD = Source("upload", open_upload, locate=locate)
