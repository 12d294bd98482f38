"""Zips, from strangers too: checked as listed, read member by member, never unpacked to disk."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from ...contracts.errors import BadData, BadImage
from ...storage.home import Home
from ..dataset import Dataset
from ..images import MAX_BYTES, size_refusal
from ..layout import arrange
from ..listing import File, Listing, Parts, check_count, clean, is_junk
from . import Request, Source

MAX_UNPACKED = 4 * 2**30
"""Bytes of all members together, as the zip declares them."""
MAX_RATIO = 200
"""Unpacked to packed size of a member above 1 MB; photographs hardly shrink at all."""
_MAX_DIRECTORY = 16 * 2**20
_UTF8 = 0x800
_LOCKED = 0x1


def parse(word: str) -> str | None:
    """A word that is the path of a zip."""
    path = Path(word).expanduser()
    return word if path.suffix.lower() == ".zip" and path.is_file() else None


def locate(name: str, home: Home | None) -> Path:
    """The zip itself: its path is the name."""
    return Path(name).expanduser()


def open_zip(request: Request) -> Dataset:
    """The zip's class folders, titled with its name."""
    path = request.path or locate(request.spec.name, None)
    title = path.stem if path.suffix.lower() == ".zip" else path.name
    return arrange(title or "Zip", list_zip(path), request.report)


ZIP = Source("zip", open_zip, parse=parse, locate=locate, local=True)


def list_zip(path: Path) -> Listing:
    """All members that could be read, the others rejected with a reason. The zip stays open while they are in use.

    Raises `BadData` if it is no zip, holds too much, or is locked with a password as a whole.
    """
    archive = _open(path)
    members = [(info, _parts(info)) for info in archive.infolist()]
    members = [(info, parts) for info, parts in members if not is_junk(parts)]
    check_count(len(members), f"the zip {path.name!r}")
    _check_whole(path, [info for info, _ in members if not info.is_dir()])
    listing = Listing()
    folders: list[Parts] = []
    seen: set[Parts] = set()
    for info, parts in members:
        reason = _refusal(info)
        if not reason and parts in seen:
            reason = "its name appears twice in the zip."
        if reason:
            listing.reject(parts, reason)
        elif info.is_dir():
            folders.append(parts)
        else:
            seen.add(parts)
            listing.files.append(_file(archive, info, parts))
    filled = {parts[:n] for parts in [*seen, *folders] for n in range(len(parts))}
    listing.empty = [parts for parts in folders if parts not in filled]
    return listing


def _file(archive: ZipFile, info: ZipInfo, parts: Parts) -> File:
    return File(parts, partial(_stream, archive, info), partial(_read, archive, info))


class _Bounded(io.BufferedReader):
    """A file that is never read in large pieces, so that neither a directory nor a member can fill the memory."""

    limit = _MAX_DIRECTORY

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > self.limit:
            raise BadZipFile("a piece of it is too large")
        return super().read(self.limit if size is None or size < 0 else size)


def _open(path: Path) -> ZipFile:
    try:
        file = _Bounded(io.FileIO(path))
        archive = ZipFile(file)
    except FileNotFoundError:
        raise BadData(f"there is no file {path.name!r}.") from None
    except Exception as error:  # hostile directories: as with pictures, anything may be raised
        reason = str(error)[:120] or type(error).__name__
        hint = "Zip a folder that holds one folder of pictures per class."
        raise BadData(f"{path.name!r} is not a zip that can be read ({reason}).", hint) from None
    file.limit = MAX_BYTES
    return archive


def _check_whole(path: Path, files: list[ZipInfo]) -> None:
    total = sum(info.file_size for info in files)
    if total > MAX_UNPACKED:
        have = total / 2**30
        most = MAX_UNPACKED // 2**30
        raise BadData(
            f"{path.name!r} unpacks to {have:.1f} GB; at most {most} GB are read.",
            "Take fewer pictures.",
        )
    if files and all(info.flag_bits & _LOCKED for info in files):
        raise BadData(
            f"{path.name!r} is locked with a password.", "Make the zip again without one."
        )


def _parts(info: ZipInfo) -> Parts:
    """The member's place; ".." and drives are kept, so that they can be refused by name."""
    return tuple(clean(part) for part in PurePosixPath(_name(info).replace("\\", "/")).parts)


def _name(info: ZipInfo) -> str:
    """Many programs write UTF-8 without saying so; zipfile then reads it as the DOS code page."""
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return info.filename


def _refusal(info: ZipInfo) -> str:
    """Why this member must not be read, empty if it may."""
    name = _name(info)
    if ".." in name.replace("\\", "/").split("/") or PureWindowsPath(name).anchor:
        return "its name leads out of the zip."
    if info.flag_bits & _LOCKED:
        return "locked with a password."
    if info.file_size > 2**20 and info.file_size > MAX_RATIO * info.compress_size:
        return f"unpacks to more than {MAX_RATIO} times its size."
    return "" if info.is_dir() else size_refusal(info.file_size)


@contextmanager
def _stream(archive: ZipFile, info: ZipInfo) -> Iterator[BinaryIO]:
    try:
        with archive.open(info) as file:
            yield file
    except BadImage:
        raise
    except Exception as error:  # zlib, lzma, struct, NotImplementedError for rare methods, ...
        raise BadImage(
            f"damaged inside the zip ({str(error)[:120] or type(error).__name__})."
        ) from None


def _read(archive: ZipFile, info: ZipInfo) -> bytes:
    with _stream(archive, info) as file:
        return file.read()
