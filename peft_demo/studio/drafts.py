"""What a person collects on the page: class cards with pictures, and uploaded zips. On disk, so a reload loses nothing.

A draft is a folder of numbered class folders; the names of the classes stand in `.labels.json`, because a person may
call a class anything ("7/8", "con", "..") and a folder not. Pictures are kept as they came, under their SHA-256.
"""

import json
import re
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import file_digest, sha256
from io import BytesIO
from pathlib import Path
from threading import RLock
from zipfile import is_zipfile

from PIL import Image

from .. import data
from ..contracts.errors import BadData, BadImage, BadValue, UnknownName
from ..storage.atomic import copy_file, disk_errors, write_file
from ..storage.home import Home
from ..storage.names import slug

CLASSES = 100
IMAGES = 1000
"""At most this many classes in a draft and pictures in a class."""


@dataclass(frozen=True)
class Drafts:
    """The class cards of every browser, by draft id."""

    home: Home
    _lock: RLock = field(default_factory=RLock)

    def classes(self, draft: str) -> dict[str, tuple[str, ...]]:
        """Class name → image keys, both in the order they were given."""
        folder = self._folder(draft)
        return {label: _keys(folder / number) for number, label in self._labels(draft).items()}

    def put(self, draft: str, label: str, images: Sequence[Path]) -> tuple[str, ...]:
        """Makes the class hold exactly these pictures; their keys.

        If some cannot be read, the others are kept all the same, and `BadImage` says which ones and why.
        """
        if len(images) > IMAGES:
            raise BadValue(
                f"a class takes at most {IMAGES} pictures, got {len(images)}.",
                "Use a zip for more.",
            )
        self.home.check_room()
        with self._lock:
            folder = self._folder(draft) / self._number(draft, tidy(label))
            keys, refused = _store(images, folder)
            write_file(folder / ".order.json", json.dumps(keys).encode())
            _forget(folder, keys)
        if refused:
            raise BadImage(
                f"{len(refused)} of {len(images)} pictures could not be read: {'; '.join(refused[:3])}"
            )
        return tuple(keys)

    def rename(self, draft: str, old: str, new: str) -> None:
        """Calls a class something else."""
        with self._lock:
            labels = self._labels(draft)
            new = tidy(new)
            if old not in labels.values():
                raise UnknownName("class", old, labels.values())
            if new != old and new in labels.values():
                raise BadValue(f"there is a class {new!r} already.", "Choose another name.")
            self._write(draft, {n: new if label == old else label for n, label in labels.items()})

    def drop(self, draft: str, label: str) -> None:
        """Forgets a class and its pictures; nothing happens if there is none of that name."""
        with self._lock:
            labels = self._labels(draft)
            for number in [n for n, name in labels.items() if name == label]:
                self._write(draft, {n: name for n, name in labels.items() if n != number})
                shutil.rmtree(self._folder(draft) / number, ignore_errors=True)

    def image(self, draft: str, key: str) -> Path:
        """A copy of the picture under tmp/, which a page may show."""
        for number in self._labels(draft):
            folder = self._folder(draft) / number
            if key in _keys(folder):
                shown = self.home.tmp / "shown" / key
                if not shown.exists():
                    copy_file(folder / key, shown)
                return shown
        raise UnknownName("picture", key[:80], ())

    def view(self, draft: str) -> tuple[Path, dict[str, str]]:
        """The draft as a folder of class folders, and what to call them: (folder, folder name → class name)."""
        labels = self._labels(draft)
        if not labels:
            raise BadData(
                "no pictures have been collected yet.",
                "Name two classes and drop some pictures on each.",
            )
        return self._folder(draft), labels

    def _folder(self, draft: str) -> Path:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", draft):
            raise UnknownName("draft", draft[:64], ())
        return self.home.drafts / draft

    def _labels(self, draft: str) -> dict[str, str]:
        try:
            return json.loads((self._folder(draft) / ".labels.json").read_text("utf-8"))
        except (OSError, ValueError):
            return {}

    def _write(self, draft: str, labels: dict[str, str]) -> None:
        write_file(
            self._folder(draft) / ".labels.json", json.dumps(labels, ensure_ascii=False).encode()
        )

    def _number(self, draft: str, label: str) -> str:
        """The folder of the class; a new class gets the next number."""
        labels = self._labels(draft)
        number = next((n for n, name in labels.items() if name == label), None)
        if number is None and len(labels) >= CLASSES:
            raise BadValue(
                f"a draft takes at most {CLASSES} classes.", "Use a zip of class folders for more."
            )
        number = number or str(max((int(n) for n in labels), default=0) + 1)
        # Written each time: the date of this file says when the draft was last worked on.
        self._write(draft, labels | {number: label})
        return number


def keep_zip(home: Home, file: Path) -> str:
    """Stores an uploaded zip under a key made of its name and content; the same zip twice is kept once."""
    if not is_zipfile(file):
        raise BadData(
            f"{file.name} is not a zip file.", "Zip a folder that holds one folder per class."
        )
    with open(file, "rb") as content:
        digest = file_digest(content, "sha256").hexdigest()
    key = f"{slug(file.stem, 'photos')}-{digest[:12]}.zip"
    if not (home.uploads / key).exists():
        copy_file(file, home.uploads / key)
    return key


def find_zip(home: Home, key: str) -> Path:
    """The stored zip; touched, so that one in use does not expire."""
    path = home.uploads / key
    if not re.fullmatch(r"[a-z0-9-]{1,64}\.zip", key) or not path.is_file():
        raise UnknownName("upload", key[:80], (p.name for p in home.uploads.glob("*.zip")))
    with suppress(OSError):
        path.touch()
    return path


def tidy(label: str) -> str:
    """A class name of one line, 1 to 100 printable characters; `BadValue` if it is not."""
    label = " ".join(label.split())
    if not 1 <= len(label) <= 100 or not label.isprintable():
        raise BadValue(f"a class name takes 1 to 100 characters, got {label[:100]!r}.")
    return label


def _keys(folder: Path) -> tuple[str, ...]:
    try:
        keys = json.loads((folder / ".order.json").read_text("utf-8"))
    except (OSError, ValueError):
        keys = []
    return tuple(k for k in keys if (folder / k).is_file())


def _store(images: Sequence[Path], folder: Path) -> tuple[list[str], list[str]]:
    keys = []
    refused = []
    for image in images:
        try:
            key = _store_one(Path(image), folder)
            keys += [key] if key not in keys else []
        except BadImage as error:
            refused.append(f"{Path(image).name}: {error}")
    return keys, refused


def _store_one(image: Path, folder: Path) -> str:
    try:
        content = image.read_bytes()
    except OSError:
        raise BadImage("the file is gone.") from None
    digest = sha256(content).hexdigest()
    earlier = next(folder.glob(f"{digest}.*"), None)
    if earlier is None:
        data.decode(content)
        earlier = folder / f"{digest}{_suffix(content)}"
        write_file(earlier, content)
    return earlier.name


def _suffix(content: bytes) -> str:
    """By content, not by name: what a page sends may be called anything."""
    kind = Image.open(BytesIO(content)).format
    return {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2"}.get(
        kind, f".{kind.lower()}"
    )


def _forget(folder: Path, keys: Sequence[str]) -> None:
    for path in folder.iterdir():
        if path.name not in (*keys, ".order.json"):
            with disk_errors(path), suppress(FileNotFoundError):
                path.unlink()
