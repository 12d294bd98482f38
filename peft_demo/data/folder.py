"""A folder of class folders on this machine, listed without leaving it."""

import os
from functools import partial
from pathlib import Path

from ..contracts.errors import BadData
from .images import read_file, size_refusal
from .listing import File, Listing, check_count, clean, is_junk


def listing(root: Path) -> Listing:
    """All files below `root`. Links that lead outside are rejected, linked folders are not followed.

    Raises `BadData` if there is no such folder or it holds too many files.
    """
    if not root.is_dir():
        raise BadData(f"there is no folder {root.name!r}.")
    root = root.resolve()
    found = Listing()
    for place, folders, files in os.walk(root):
        here = Path(place)
        folders[:] = [
            f for f in folders if not is_junk((f,)) and not _linked(root, here / f, found)
        ]
        files = [f for f in files if not is_junk((f,))]
        if not folders and not files and here != root:
            found.empty.append(_parts(root, here))
        for name in files:
            _take(root, here / name, found)
        check_count(len(found.files), f"the folder {root.name!r}")
    return found


def _parts(root: Path, path: Path) -> tuple[str, ...]:
    return tuple(clean(part) for part in path.relative_to(root).parts)


def _linked(root: Path, folder: Path, found: Listing) -> bool:
    if linked := folder.is_symlink():
        found.reject(_parts(root, folder), "a link to a folder, which is not followed.")
    return linked


def _stays(root: Path, path: Path) -> bool:
    try:
        return path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):  # links in a circle
        return False


def _take(root: Path, path: Path, found: Listing) -> None:
    parts = _parts(root, path)
    if not _stays(root, path):
        found.reject(parts, "a link that leads out of the folder.")
    elif not path.is_file():  # a pipe would keep us waiting for ever
        found.reject(parts, "not a regular file.")
    elif refusal := size_refusal(path.stat().st_size):
        found.reject(parts, refusal)
    else:
        found.files.append(File(parts, partial(path.open, "rb"), partial(read_file, path)))
