"""Tar files, packed or not: listed once, read in place, never unpacked into folders."""

import os
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryFile
from threading import Lock
from typing import IO, Any
from weakref import finalize

from ...contracts.errors import BadData, BadImage
from ...storage.home import Home
from ...storage.paths import expanded, is_file
from ..arrange import arrange
from ..dataset import Dataset
from ..images import MAX_BYTES, size_refusal
from ..listing import File, Listing, check_count, is_litter
from . import Request, Source, leads_out, parts_of
from .zip import MAX_UNPACKED

SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


def parse(word: str) -> str | None:
    """A word that is the path of a tar file."""
    is_tar = word.lower().endswith(SUFFIXES)
    return word if is_tar and is_file(expanded(word)) else None


def locate(name: str, home: Home | None) -> Path:
    """The file itself: its path is the name."""
    return expanded(name)


def open_tar(request: Request) -> Dataset:
    """The file's pictures, titled with its name."""
    path = request.path or locate(request.spec.name, None)
    title = path.name
    for suffix in sorted(SUFFIXES, key=len):
        title = title.removesuffix(suffix)
    return arrange(title or "Tar", list_tar(path), request.spec, request.report, beside=path)


def list_tar(path: Path) -> Listing:
    """All regular members, the others rejected with a reason; links are not followed.

    Raises `BadData` if it is no tar file, is cut short, or holds too much.
    """
    tar = _Tar(_plain_tar(path))
    listing = Listing()
    try:
        with tarfile.open(fileobj=tar.file, mode="r:", errors="surrogateescape") as archive:
            for info in archive:
                _take(info, tar, listing)
                check_count(len(listing.files), f"the tar file {path.name!r}")
            _check_end(archive, tar.file)
    except BadData:
        raise
    except Exception as error:  # hostile headers: as with pictures, anything may be raised
        reason = str(error)[:120] or type(error).__name__
        raise BadData(
            f"{path.name!r} is not a tar file that can be read ({reason}).", "It may be cut short."
        ) from None
    filled = {file.parts[:n] for file in listing.files for n in range(len(file.parts))}
    listing.empty = [parts for parts in listing.empty if parts not in filled]
    return listing


TAR = Source("tar", open_tar, parse=parse, locate=locate, local=True, list=list_tar)


def _check_end(archive: tarfile.TarFile, file: IO[bytes]) -> None:
    """`ReadError` where the block of zeros is missing that ends a tar file: tarfile takes a cut
    header for the end."""
    rest = file.seek(0, os.SEEK_END) - archive.offset
    if rest < tarfile.BLOCKSIZE:
        raise tarfile.ReadError("unexpected end of data")


def _plain_tar(path: Path) -> IO[bytes]:
    """The tar file without its packing: the file itself, or a copy that disappears with this
    process."""
    try:
        with path.open("rb") as packed:
            opener = _opener(packed.read(6))
        return path.open("rb") if opener is None else _unpacked(path, opener)
    except FileNotFoundError:
        raise BadData(f"there is no file {path.name!r}.") from None
    except BadData:
        raise
    except Exception as error:  # zlib, lzma and bz2 each have errors of their own
        raise BadData(
            f"{path.name!r} cannot be unpacked ({str(error)[:120]}).", "It may be cut short."
        ) from None


def _unpacked(path: Path, opener: Callable[..., Any]) -> IO[bytes]:
    copy = TemporaryFile()  # noqa: SIM115  closed by whoever asked for the tar
    try:
        with opener(path, "rb") as stream:
            while piece := stream.read(2**20):
                copy.write(piece)
                _check_unpacked(path, copy.tell())
    except BaseException:
        copy.close()
        raise
    copy.seek(0)
    return copy


def _check_unpacked(path: Path, size: int) -> None:
    if size > MAX_UNPACKED:
        raise BadData(
            f"{path.name!r} unpacks to more than {MAX_UNPACKED // 2**30} GB.",
            "Take fewer pictures.",
        )


def _opener(start: bytes) -> Callable[..., Any] | None:
    """What unpacks a file that begins so, None if it is not packed."""
    if start.startswith(b"\x1f\x8b"):
        import gzip

        return gzip.open
    if start.startswith(b"BZh"):
        import bz2

        return bz2.open
    if start.startswith(b"\xfd7zXZ"):
        import lzma

        return lzma.open
    return None


class _Tar:
    """An open tar file that several threads may read; it is closed when nobody needs it any
    more."""

    def __init__(self, file: IO[bytes]):
        self.file = file
        self._lock = Lock()
        finalize(self, file.close)

    def read(self, offset: int, size: int) -> bytes:
        """`size` bytes from `offset` on; fewer at the end of the file."""
        with self._lock:
            self.file.seek(offset)
            return self.file.read(size)


def _take(info: tarfile.TarInfo, tar: _Tar, listing: Listing) -> None:
    parts = parts_of(info.name)
    if not parts or any(map(is_litter, parts)):
        return
    if leads_out(parts):
        listing.reject(parts, "its name leads out of the tar file.")
    elif info.isdir():
        listing.empty.append(parts)
    elif info.issym() or info.islnk():
        listing.reject(parts, "a link, which is not followed in an archive.")
    elif not info.isreg():
        listing.reject(parts, "not a regular file.")
    else:
        opener = partial(_stream, tar, info.offset_data, info.size)
        listing.files.append(File(parts, info.size, opener))


@contextmanager
def _stream(tar: _Tar, offset: int, size: int) -> Iterator[IO[bytes]]:
    """The member as a stream of its own."""
    if size > MAX_BYTES:
        raise BadImage(size_refusal(size))
    content = tar.read(offset, size)
    if len(content) < size:
        raise BadImage("cut off inside the tar file.")
    yield BytesIO(content)
