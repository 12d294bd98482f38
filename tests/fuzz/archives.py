"""Zip and tar files: hostile names, members and tables, and bytes that were changed afterwards."""

import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from io import BytesIO
from pathlib import Path
from warnings import catch_warnings, simplefilter

from hypothesis import strategies as st
from PIL import Image

from peft_demo.contracts.errors import PeftDemoError
from peft_demo.contracts.specs import DataSpec
from peft_demo.contracts.text import is_visible
from peft_demo.data import open_dataset, report_of, split

from .runner import SOUND, Judge, Kind, refused

SECRET = b"a secret of this machine"
FOLDERS = (
    "a", "b", "train/a", "test/b", "A", "..", ".", "", "/", "C:", "C:\\x", "\\\\host\\share",
    "CON",
    "a\0b", "é", "e\u0301", "\u202ecba", "\u200b", " a ", "a/../b", "x" * 300, "__MACOSX",
    ".hidden",
    "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
)  # fmt: skip
NAMES = (
    "1.png", "2.png", "3.jpg", "a.png", "cat.1.png", "labels.csv", "metadata.jsonl", "train.txt",
    "annotations.json", "classes.parquet", "secret", "1.png\0.exe", "NUL.png", "inner.zip", "..png",
)  # fmt: skip


@cache
def members() -> tuple[bytes, ...]:
    """Pictures, tables and what is neither."""
    pictures = []
    for shade in range(6):
        file = BytesIO()
        Image.new("RGB", (12, 12), (40 * shade, 90, 10)).save(file, "PNG")
        pictures.append(file.getvalue())
    tables = (
        b"file,label\na/1.png,x\nb/2.png,y\n",
        b"file,label\n../../etc/passwd,x\n/etc/passwd,y\n",
        b"a," * 5000,
        b'"' * 3000,
        b'{"file_name": "a/1.png", "label": "x"}\n{"file_name": null, "label": [[]]}\n',
        b'{"images": [{"id": 1, "file_name": "1.png"}], "annotations": 5, "categories": null}',
        b"[" * 3000,
        b'{"a": NaN, "b": 1e999}',
        b"1.png 0\n2.png 1\n",
        b"PAR1" + bytes(60) + b"PAR1",
        b"\xff\xfe\0\0",
        b"",
    )
    return (*pictures, *pictures, *tables)


Member = tuple[str, str, int]
"""(folder, name, number of the content)"""


@dataclass(frozen=True)
class Case:
    """An archive of these members, with some bytes put elsewhere."""

    packing: str
    members: tuple[Member, ...]
    link: str = ""
    puts: tuple[tuple[int, bytes], ...] = ()
    cut: int | None = None

    def content(self) -> bytes:
        file = BytesIO()
        with catch_warnings():
            simplefilter("ignore")  # of names that come twice
            (_zip if self.packing == "zip" else _tar)(self, file)
        content = bytearray(file.getvalue())
        for place, new in self.puts:
            start = place % len(content)
            content[start : start + len(new)] = new[: len(content) - start]
        return bytes(content[: self.cut])


def _zip(case: Case, file: BytesIO) -> None:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder, name, number in case.members:
            archive.writestr(zipfile.ZipInfo(f"{folder}/{name}"), _content(number))
        if case.link:
            link = zipfile.ZipInfo("a/link.png")
            link.external_attr = 0o120777 << 16
            archive.writestr(link, case.link)


def _tar(case: Case, file: BytesIO) -> None:
    with tarfile.open(fileobj=file, mode="w:gz" if case.packing == "tar.gz" else "w") as archive:
        for folder, name, number in case.members:
            info = tarfile.TarInfo(f"{folder}/{name}")
            info.size = len(_content(number))
            archive.addfile(info, BytesIO(_content(number)))
        if case.link:
            info = tarfile.TarInfo("a/link.png")
            info.type = tarfile.SYMTYPE
            info.linkname = case.link
            archive.addfile(info)


def _content(number: int) -> bytes:
    return members()[number % len(members())]


def cases() -> st.SearchStrategy[Case]:
    """Half of them are changed after they were packed."""
    member = st.tuples(st.sampled_from(FOLDERS), st.sampled_from(NAMES), st.integers(0, 40))
    plain = st.tuples(st.sampled_from(("a", "b")), st.sampled_from(NAMES), st.integers(0, 11))
    puts = st.lists(st.tuples(st.integers(0, 2**14), st.binary(min_size=1, max_size=4)), max_size=3)
    return st.builds(
        Case,
        st.sampled_from(("zip", "zip", "tar", "tar.gz")),
        st.lists(plain | member, max_size=8).map(tuple),
        st.sampled_from(("", "", "/etc/passwd", "../secret")),
        st.just(()) | puts.map(tuple),
        st.none() | st.none() | st.none() | st.integers(0, 3000),
    )


class _Set:
    """A folder of its own for archives, with a file beside it that nobody may read."""

    def __init__(self, folder: Path):
        self.folder = folder / "in"
        self.folder.mkdir()
        (folder / "secret").write_bytes(SECRET)
        self.before = self._places()

    def judge(self, case: Case) -> str:
        path = self.folder / f"set.{case.packing}"
        path.write_bytes(case.content())
        try:
            return self._read(case, path)
        finally:
            path.unlink()
            if self._places() != self.before:
                raise AssertionError("something was unpacked")

    def _read(self, case: Case, path: Path) -> str:
        source = "zip" if case.packing == "zip" else "tar"
        spec = DataSpec(source, str(path), shots=2)
        try:
            dataset = open_dataset(spec, path)
            report = report_of(dataset, split(dataset, 2, 0))
        except PeftDemoError as error:
            return refused(error)
        words = [report.title, report.problem, report.reading, *report.notices]
        words += [text for pair in report.rejected for text in pair]
        words += [count.name for count in report.counts]
        for text in words:
            if not is_visible(text) or str(self.folder) in text or SECRET.decode() in text:
                raise AssertionError(f"not to be shown: {text[:300]!r}")
        return SOUND

    def _places(self) -> set[Path]:
        return set(self.folder.parent.rglob("*"))


@contextmanager
def _open(folder: Path) -> Iterator[Judge]:
    yield _Set(folder).judge


KIND = Kind("archives", cases, _open)
