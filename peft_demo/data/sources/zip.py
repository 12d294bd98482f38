"""Zips, from strangers too: checked as listed, read member by member, never unpacked to disk."""

import io
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO
from weakref import finalize
from zipfile import BadZipFile, ZipFile, ZipInfo

from ...contracts.errors import BadData, BadImage
from ...storage.home import Home
from ...storage.paths import expanded, is_file
from ..arrange import arrange
from ..dataset import Dataset
from ..formats import PICTURES, describe, suffix
from ..images import MAX_BYTES
from ..listing import File, Listing, Parts, check_count, is_hidden_folder, is_litter
from . import Request, Source, leads_out, parts_of

MAX_UNPACKED = 4 * 2**30
"""Bytes of all members together, as the zip declares them."""
MAX_RATIO = 200
"""Unpacked to packed size of a member above 1 MB; photographs hardly shrink at all."""
_MAX_DIRECTORY = 32 * 2**20
_UTF8 = 0x800
_LOCKED = 0x1


def parse(word: str) -> str | None:
    """A word that is the path of a zip."""
    path = expanded(word)
    return word if path.suffix.lower() == ".zip" and is_file(path) else None


def locate(name: str, home: Home | None) -> Path:
    """The zip itself: its path is the name."""
    return expanded(name)


def open_zip(request: Request) -> Dataset:
    """The zip's pictures, titled with its name."""
    path = request.path or locate(request.spec.name, None)
    title = path.stem if path.suffix.lower() == ".zip" else path.name
    return arrange(title or "Zip", list_zip(path), request.spec, request.report, beside=path)


def list_zip(path: Path) -> Listing:
    """All members that could be read, the others rejected with a reason. The zip stays open while
    they are in use.

    Raises `BadData` if it is no zip, holds too much, or is locked with a password as a whole.
    """
    archive = _open(path)
    members = [(info, _parts(info)) for info in archive.infolist()]
    check_count(len(members), f"the zip {path.name!r}")
    listing = Listing()
    listing.hidden = _hidden([parts for _, parts in members])
    members = [(info, parts) for info, parts in members if not any(map(is_litter, parts))]
    _check_whole(path, [info for info, _ in members if not info.is_dir()])
    folders: list[Parts] = []
    seen: set[Parts] = set()
    for info, parts in members:
        reason = _refusal(info, parts)
        if not reason and parts in seen:
            reason = "its name appears twice in the zip."
        if reason:
            listing.reject(parts, reason)
        elif info.is_dir():
            folders.append(parts)
        else:
            seen.add(parts)
            opener = partial(_stream, archive, info)
            listing.files.append(File(parts, info.file_size, opener, info.CRC))
    filled = {parts[:n] for parts in [*seen, *folders] for n in range(len(parts))}
    listing.empty = [parts for parts in folders if parts not in filled]
    return listing


ZIP = Source("zip", open_zip, parse=parse, locate=locate, local=True, list=list_zip)


class _Bounded(io.BufferedReader):
    """A file that is never read in large pieces, so that neither a directory nor a member can fill
    the memory."""

    limit = _MAX_DIRECTORY

    def read(self, size: int | None = -1) -> bytes:
        if size is not None and size > self.limit:
            raise BadZipFile("a piece of it is too large")
        return super().read(self.limit if size is None or size < 0 else size)


def _open(path: Path) -> ZipFile:
    try:
        file = _Bounded(io.FileIO(path))
    except FileNotFoundError:
        raise BadData(f"there is no file {path.name!r}.") from None
    try:
        archive = ZipFile(file)
    except Exception as error:  # hostile directories: as with pictures, anything may be raised
        file.close()
        raise _unreadable(path, error) from None
    file.limit = MAX_BYTES
    finalize(archive, file.close)
    return archive


def _unreadable(path: Path, error: Exception) -> BadData:
    """What the file is instead of a zip: another archive, or a zip whose end is missing."""
    try:
        with path.open("rb") as file:
            start = file.read(1024)
    except OSError:
        start = b""
    hint = "Zip a folder that holds one folder of pictures per class."
    if start.startswith(b"PK\x03\x04") and "not a zip file" in str(error):
        reason = "it is cut short: its end, which lists the files, is missing"
        return BadData(
            f"{path.name!r} is not a zip that can be read ({reason}).", "Copy or download it again."
        )
    what = "" if start.startswith(b"PK") else describe(start)
    reason = what or str(error)[:120] or type(error).__name__
    return BadData(f"{path.name!r} is not a zip that can be read ({reason}).", hint)


def _check_whole(path: Path, files: list[ZipInfo]) -> None:
    total = sum(info.file_size for info in files)
    if total > MAX_UNPACKED:
        raise BadData(
            f"{path.name!r} unpacks to {total / 2**30:.1f} GB; "
            f"at most {MAX_UNPACKED // 2**30} GB are read.",
            "Take fewer pictures.",
        )
    if files and all(info.flag_bits & _LOCKED for info in files):
        raise BadData(
            f"{path.name!r} is locked with a password.", "Make the zip again without one."
        )


def _hidden(places: list[Parts]) -> list[Parts]:
    """Folders with pictures that are left out because their names begin with a dot."""
    hidden: set[Parts] = set()
    for parts in places:
        if suffix(parts[-1] if parts else "") not in PICTURES:
            continue
        above = range(len(parts) - 1)
        hidden |= {parts[: n + 1] for n in above if is_hidden_folder(parts[n])}
    return sorted(hidden)


def _parts(info: ZipInfo) -> Parts:
    """The member's place; ".." and drives are kept, so that they can be refused by name."""
    return parts_of(_name(info).replace("\\", "/"))


def _name(info: ZipInfo) -> str:
    """Many programs write UTF-8, or the code page of their country, without saying so; zipfile then
    reads it as cp437. Bytes that are no UTF-8 become lone surrogates, see `with_readable_names`.
    """
    if info.flag_bits & _UTF8:
        return info.filename
    try:
        return info.filename.encode("cp437").decode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return info.filename


def _refusal(info: ZipInfo, parts: Parts) -> str:
    """Why this member must not be read, empty if it may."""
    if leads_out(parts):
        return "its name leads out of the zip."
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link, which is not followed in an archive."
    if info.flag_bits & _LOCKED:
        return "locked with a password."
    if info.file_size > 2**20 and info.file_size > MAX_RATIO * info.compress_size:
        return f"unpacks to more than {MAX_RATIO} times its size."
    return ""


@contextmanager
def _stream(archive: ZipFile, info: ZipInfo) -> Iterator[IO[bytes]]:
    try:
        with archive.open(info) as file:
            yield file
    except BadImage:
        raise
    except Exception as error:  # zlib, lzma, struct, NotImplementedError for rare methods, ...
        reason = str(error)[:120] or type(error).__name__
        raise BadImage(f"damaged inside the zip ({reason}).") from None
