"""A folder of class folders on this machine, listed without leaving it."""

import os
from functools import partial
from pathlib import Path

from ...contracts.errors import BadData
from ...storage.home import Home
from ..dataset import Dataset
from ..images import read_file, size_refusal
from ..layout import arrange
from ..listing import File, Listing, Parts, check_count, clean, is_junk
from . import Request, Source


def parse(word: str) -> str | None:
    """A word that is a folder's path."""
    return word if word and Path(word).expanduser().is_dir() else None


def locate(name: str, home: Home | None) -> Path:
    """The folder itself: its path is the name."""
    return Path(name).expanduser()


def open_folder(request: Request) -> Dataset:
    """The folder's class folders, titled with its last part."""
    folder = request.path or locate(request.spec.name, None)
    return arrange(folder.resolve().name or "Folder", list_folder(folder), request.report)


FOLDER = Source("folder", open_folder, parse=parse, locate=locate, local=True)


def list_folder(root: Path) -> Listing:
    """All files below `root`. Links that lead outside are rejected, linked folders are not followed.

    Raises `BadData` if there is no such folder or it holds too many files.
    """
    if not root.is_dir():
        raise BadData(f"there is no folder {root.name!r}.")
    root = root.resolve()
    listing = Listing()
    for place, folders, files in os.walk(root):
        here = Path(place)
        folders[:] = [name for name in folders if _enters(root, here / name, listing)]
        files = [name for name in files if not is_junk((name,))]
        if not folders and not files and here != root:
            listing.empty.append(_parts(root, here))
        for name in files:
            _take(root, here / name, listing)
        check_count(len(listing.files), f"the folder {root.name!r}")
    return listing


def _parts(root: Path, path: Path) -> Parts:
    return tuple(clean(part) for part in path.relative_to(root).parts)


def _enters(root: Path, folder: Path, listing: Listing) -> bool:
    """Whether the folder is to be looked into; a link to a folder is rejected."""
    if is_junk((folder.name,)):
        return False
    if folder.is_symlink():
        listing.reject(_parts(root, folder), "a link to a folder, which is not followed.")
        return False
    return True


def _stays(root: Path, path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # links in a circle
        return False


def _take(root: Path, path: Path, listing: Listing) -> None:
    parts = _parts(root, path)
    if not _stays(root, path):
        listing.reject(parts, "a link that leads out of the folder.")
    elif not path.is_file():  # a pipe would keep us waiting for ever
        listing.reject(parts, "not a regular file.")
    elif refusal := size_refusal(path.stat().st_size):
        listing.reject(parts, refusal)
    else:
        listing.files.append(File(parts, partial(path.open, "rb"), partial(read_file, path)))
