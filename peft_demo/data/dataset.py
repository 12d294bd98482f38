"""What a labelled set of pictures is, wherever it came from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from PIL import Image


@dataclass(frozen=True)
class Example:
    """One labelled picture, not yet read.

    `label` indexes the dataset's `classes`. `part` is the split the source itself gave: "train", "val", "test", or ""
    where it gave none. `name` is shown to people and orders the pictures: it never holds a path of this machine.
    """

    label: int
    part: str
    name: str
    read: Callable[[], bytes | Image.Image] = field(repr=False, compare=False)
    """The encoded file, or the picture itself where it was drawn. Raises `BadImage`."""

    @cached_property
    def digest(self) -> str:
        """SHA-256, hex: of the file's bytes (so a zip, a folder and a re-upload agree), of the pixels where drawn."""
        content = self.read()
        if isinstance(content, Image.Image):
            content = f"{content.mode} {content.size}".encode() + content.tobytes()
        return sha256(content).hexdigest()


@dataclass(frozen=True)
class Dataset:
    """Classes in natural order, their pictures, and what was left out on the way."""

    title: str
    classes: tuple[str, ...]
    examples: tuple[Example, ...]
    rejected: tuple[tuple[str, str], ...] = ()
    """(file, reason)"""
    notices: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    """Columns of a Hub dataset to choose from."""
    image_column: str = ""
    label_column: str = ""
