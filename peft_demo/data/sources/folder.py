"""A folder of pictures on this machine. Links inside one's own machine are followed."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from ...contracts.errors import BadData
from ...storage.home import Home
from ...storage.paths import expanded, is_folder, is_there
from ..arrange import arrange
from ..dataset import Dataset
from ..formats import PICTURES, suffix
from ..listing import File, Listing, Parts, check_count, is_hidden_folder, is_litter
from . import Request, Source


def parse(word: str) -> str | None:
    """A word that is a folder's path."""
    return word if word and is_folder(expanded(word)) else None


def locate(name: str, home: Home | None) -> Path:
    """The folder itself: its path is the name."""
    return expanded(name)


def open_folder(request: Request) -> Dataset:
    """The folder's pictures, titled with its last part."""
    folder = request.path or locate(request.spec.name, None)
    title = folder.resolve().name or "Folder"
    return arrange(title, list_folder(folder), request.spec, request.report, beside=folder)


def list_folder(root: Path) -> Listing:
    """All files below `root`. Links are followed, but not in a circle.

    Raises `BadData` if there is no such folder or it holds too many files.
    """
    if not is_folder(root):
        raise BadData(f"there is no folder {root.name!r}.")
    listing = Listing()
    _walk(root.resolve(), (), (), listing)
    return listing


FOLDER = Source("folder", open_folder, parse=parse, locate=locate, local=True, list=list_folder)


def _walk(folder: Path, parts: Parts, above: tuple[Path, ...], listing: Listing) -> None:
    """Lists `folder`, which lies at `parts`; `above` are the folders on the way to it, links
    resolved."""
    above = (*above, folder)
    entries = list(_entries(folder, parts, listing))
    if not entries and parts:
        listing.empty.append(parts)
    for entry in entries:
        place = (*parts, entry.name)
        try:
            if entry.is_dir():
                _enter(entry, place, above, listing)
            else:
                _take(entry, place, listing)
        except OSError as error:  # a broken link, a folder without permission
            listing.reject(place, f"cannot be read ({error.strerror or type(error).__name__}).")
    check_count(len(listing.files), f"the folder {above[0].name!r}")


def _entries(folder: Path, parts: Parts, listing: Listing) -> Iterator[os.DirEntry[str]]:
    """Files and folders by name, without litter."""
    with os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: entry.name)
    for entry in ordered:
        if not is_litter(entry.name):
            yield entry
        elif is_hidden_folder(entry.name) and entry.is_dir() and _holds_pictures(entry.path):
            listing.hidden.append((*parts, entry.name))


def _holds_pictures(folder: str) -> bool:
    with suppress(OSError):
        return any(suffix(name) in PICTURES for name in os.listdir(folder))
    return False


def _enter(
    entry: os.DirEntry[str], place: Parts, above: tuple[Path, ...], listing: Listing
) -> None:
    folder = Path(entry.path)
    if not entry.is_symlink():
        _walk(folder, place, above, listing)
        return
    target = folder.resolve()
    if target in above or any(parent.is_relative_to(target) for parent in above):
        listing.reject(place, "a link to a folder around it, which would never end.")
    else:
        _walk(target, place, above, listing)


def _take(entry: os.DirEntry[str], place: Parts, listing: Listing) -> None:
    path = Path(entry.path)
    if not entry.is_file():  # a pipe would keep us waiting for ever
        dead = entry.is_symlink() and not is_there(path)
        listing.reject(place, "a link to nothing." if dead else "not a regular file.")
        return
    listing.files.append(File(place, entry.stat().st_size, partial(path.open, "rb")))
