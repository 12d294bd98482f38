"""Zips from strangers: checked as listed, read member by member, never unpacked to disk."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO
from zipfile import BadZipFile, ZipFile, ZipInfo

from ..contracts.errors import BadData, BadImage
from .images import MAX_BYTES, size_refusal
from .listing import File, Listing, check_count, clean, is_junk

MAX_UNPACKED = 4 * 2**30
"""Bytes of all members together, as the zip declares them."""
MAX_RATIO = 200
"""Unpacked to packed size of a member above 1 MB; photographs hardly shrink at all."""
_MAX_DIRECTORY = 16 * 2**20
_UTF8 = 0x800
_LOCKED = 0x1


def listing(path: Path) -> Listing:
    """All members that could be read, the others rejected with a reason. The zip stays open while they are in use.

    Raises `BadData` if it is no zip, holds too much, or is locked with a password as a whole.
    """
    archive = _open(path)
    found = Listing()
    folders = []
    seen = set()
    members = [(info, parts) for info in archive.infolist() if not is_junk(parts := _parts(info))]
    check_count(len(members), f"the zip {path.name!r}")
    _check_whole(path, [info for info, _ in members if not info.is_dir()])
    for info, parts in members:
        if reason := _refusal(info) or (
            "its name appears twice in the zip." if parts in seen else ""
        ):
            found.reject(parts, reason)
        elif info.is_dir():
            folders.append(parts)
        else:
            seen.add(parts)
            found.files.append(
                File(parts, partial(_stream, archive, info), partial(_read, archive, info))
            )
    filled = {parts[:n] for parts in [*seen, *folders] for n in range(len(parts))}
    found.empty = [parts for parts in folders if parts not in filled]
    return found


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


def _parts(info: ZipInfo) -> tuple[str, ...]:
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
