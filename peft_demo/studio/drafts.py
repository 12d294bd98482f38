"""The class cards that a person fills with pictures on the page. On disk, so that a reload loses
nothing.

`data.sources.draft` says how a draft lies on disk and reads it as a dataset; here it is written.
Pictures are kept as they came, under their SHA-256; `.order.json` in a class folder keeps the order
in which they were given.
"""

import json
import shutil
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from threading import RLock

from PIL import Image

from .. import data
from ..contracts.errors import BadImage, BadValue, UnknownName
from ..data.images import open_header
from ..data.pixels import SET_PIXELS, PixelBudget
from ..data.sources.draft import LABELS, draft_folder, read_labels
from ..storage.atomic import copy_file, disk_errors, write_file
from ..storage.home import Home
from ..storage.paths import is_file, is_there

CLASSES = 100
"""At most this many classes in a draft."""
IMAGES = 1000
"""At most this many pictures in a class."""
ORDER = ".order.json"


@dataclass(frozen=True)
class Drafts:
    """The class cards of every browser, by draft id."""

    home: Home
    most_pixels: int = SET_PIXELS
    """Of the pictures that are put into a class at once."""
    _lock: RLock = field(default_factory=RLock)

    def classes(self, draft: str) -> dict[str, tuple[str, ...]]:
        """Class name → image keys, both in the order they were given."""
        folder = draft_folder(self.home, draft)
        return {label: _keys(folder / number) for number, label in read_labels(folder).items()}

    def put(self, draft: str, label: str, images: Sequence[Path]) -> tuple[str, ...]:
        """Makes the class hold exactly these pictures; their keys.

        If some cannot be read, the others are kept all the same, and `BadImage` says which ones and
        why.
        """
        if len(images) > IMAGES:
            raise BadValue(
                f"a class takes at most {IMAGES} pictures, got {len(images)}.",
                "Use a zip for more.",
            )
        self.home.check_room()
        with self._lock:
            folder = draft_folder(self.home, draft)
            class_folder = folder / _number(folder, tidy(label))
            keys, refused = _store(images, class_folder, PixelBudget(self.most_pixels))
            write_file(class_folder / ORDER, json.dumps(keys).encode())
            _forget(class_folder, keys)
        if refused:
            raise BadImage(
                f"{len(refused)} of {len(images)} pictures could not be read: "
                f"{'; '.join(refused[:3])}"
            )
        return tuple(keys)

    def rename(self, draft: str, old: str, new: str) -> None:
        """Calls a class something else."""
        with self._lock:
            folder = draft_folder(self.home, draft)
            labels = read_labels(folder)
            new = tidy(new)
            if old not in labels.values():
                raise UnknownName("class", old, labels.values())
            if new != old and new in labels.values():
                raise BadValue(f"there is a class {new!r} already.", "Choose another name.")
            renamed = {n: new if label == old else label for n, label in labels.items()}
            _write_labels(folder, renamed)

    def drop(self, draft: str, label: str) -> None:
        """Forgets a class and its pictures; nothing happens if there is none of that name."""
        with self._lock:
            folder = draft_folder(self.home, draft)
            labels = read_labels(folder)
            for number in [n for n, name in labels.items() if name == label]:
                del labels[number]
                _write_labels(folder, labels)
                shutil.rmtree(folder / number, ignore_errors=True)

    def image(self, draft: str, key: str) -> Path:
        """A copy of the picture under tmp/, which a page may show."""
        folder = draft_folder(self.home, draft)
        for number in read_labels(folder):
            if key in _keys(folder / number):
                shown = self.home.tmp / "shown" / key
                if not is_there(shown):
                    copy_file(folder / number / key, shown)
                return shown
        raise UnknownName("picture", key[:80], ())


def tidy(label: str) -> str:
    """A class name of one line, 1 to 100 printable characters; `BadValue` if it is not."""
    label = " ".join(label.split())
    if not 1 <= len(label) <= 100 or not label.isprintable():
        raise BadValue(f"a class name takes 1 to 100 characters, got {label[:100]!r}.")
    return label


def _number(folder: Path, label: str) -> str:
    """The class's folder name; a new class gets the next number."""
    labels = read_labels(folder)
    number = next((n for n, name in labels.items() if name == label), None)
    if number is None and len(labels) >= CLASSES:
        raise BadValue(
            f"a draft takes at most {CLASSES} classes.", "Use a zip of class folders for more."
        )
    number = number or str(max((int(n) for n in labels), default=0) + 1)
    # Written each time: the date of this file says when the draft was last worked on.
    _write_labels(folder, labels | {number: label})
    return number


def _write_labels(folder: Path, labels: dict[str, str]) -> None:
    write_file(folder / LABELS, json.dumps(labels, ensure_ascii=False).encode())


def _keys(folder: Path) -> tuple[str, ...]:
    try:
        keys = json.loads((folder / ORDER).read_text("utf-8"))
    except (OSError, ValueError):
        return ()
    return tuple(key for key in keys if is_file(folder / key))


def _store(
    images: Sequence[Path], folder: Path, budget: PixelBudget
) -> tuple[list[str], list[str]]:
    """(keys of the stored pictures, sentences about the others)"""
    keys: list[str] = []
    refused: list[str] = []
    for image in map(Path, images):
        try:
            key = _store_one(image, folder, budget)
        except BadImage as error:
            refused.append(f"{image.name}: {error}")
            continue
        if key not in keys:
            keys.append(key)
    return keys, refused


def _store_one(image: Path, folder: Path, budget: PixelBudget) -> str:
    try:
        content = image.read_bytes()
    except OSError:
        raise BadImage("the file is gone.") from None
    digest = sha256(content).hexdigest()
    earlier = next(folder.glob(f"{digest}.*"), None)
    if earlier is None:
        opened = open_header(content)
        budget.spend(opened)
        data.decode(opened)
        earlier = folder / f"{digest}{_suffix(opened)}"
        write_file(earlier, content)
    return earlier.name


def _suffix(image: Image.Image) -> str:
    """By content, not by name: what a page sends may be called anything."""
    image_format = image.format or "bin"
    known = {"JPEG": ".jpg", "MPO": ".jpg", "TIFF": ".tif", "JPEG2000": ".jp2"}
    return known.get(image_format, f".{image_format.lower()}")


def _forget(folder: Path, keys: Sequence[str]) -> None:
    """Removes the pictures that the class no longer holds."""
    for path in folder.iterdir():
        if path.name not in (*keys, ORDER):
            with disk_errors(path), suppress(FileNotFoundError):
                path.unlink()
