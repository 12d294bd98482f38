"""What a labelled set of pictures is, wherever it came from."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from PIL import Image

from ..contracts.cards import Alternative
from ..contracts.window import Window
from .pixels import SET_PIXELS


@dataclass(frozen=True)
class Example:
    """One labelled picture, not yet read.

    `label` indexes the dataset's `classes`. `part` is the split the source itself gave: "train",
    "val", "test", or "" where it gave none. `name` is shown to people and orders the pictures: it
    never holds a path of this machine.
    """

    label: int
    part: str
    name: str
    read: Callable[[], bytes | Image.Image] = field(repr=False, compare=False)
    """The encoded file, or the picture itself where it was drawn. Raises `BadImage`."""
    mark: tuple[int, ...] = field(default=(), repr=False, compare=False)
    """Equal files have equal marks (their size, and their checksum in an archive); () where nothing
    is known."""

    @cached_property
    def digest(self) -> str:
        """SHA-256, hex: of the file's bytes (so a zip, a folder and a re-upload agree), of the
        pixels where drawn."""
        return digest_of(self.read())


def digest_of(content: bytes | Image.Image) -> str:
    """SHA-256, hex, of an encoded picture, or of the pixels of a drawn one."""
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
    """Columns of a Hub dataset or a table to choose from."""
    image_column: str = ""
    label_column: str = ""
    reading: str = ""
    """How the source was read, in one line."""
    alternatives: tuple[Alternative, ...] = ()
    doubt: str = ""
    """What a person should decide about the reading before training, empty if nothing."""
    window: Window = Window()
    """How pictures become plain RGB, as far as a person said it; the rest is chosen from the
    training images."""
    official: bool = False
    """Whether the splits are those of a benchmark: then equal pictures stay where they are."""
    problem: str = ""
    """Why there are no classes to train on, where more is known than that."""
    most_pixels: int = SET_PIXELS
    """Of all pictures that are chosen from it."""
