"""Which images a run learns from, as a frozen value that is JSON both ways."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from .corrections import parse_corrections
from .errors import BadValue
from .text import last_part
from .window import Window, window_text

CLASSES_FROM = ("folder", "parent", "table", "name")
"""Where classes come from: `folder` the first folders, below splits if there are any · `parent` the
folder around each picture · `table` a table with a column of files and a column of labels · `name`
the file names, without numbers."""
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class DataSpec:
    """Which images, how they are to be read, how many of them, and the seed that chooses.

    `source` is one of `peft_demo.data.sources`, which also say what they take `name` for: `bundled`
    by name · `folder` or `zip` by a path on this machine (command line, or the page with
    --allow-local-paths) · `draft` class cards collected on the page, by id · `upload` a zip the
    page sent, by its key in the store · `hub` a Hugging Face dataset id.

    All that follows the seed says how the files are read; where it is empty, the reader decides and
    says so.
    """

    source: str = "bundled"
    name: str = "digits"
    shots: int = 16
    seed: int = 0
    image_column: str = ""
    """Column of pictures (Hub) or of file names (table)."""
    label_column: str = ""
    """Column of classes, of a Hub dataset or a table."""
    splits: str = ""
    """What the given splits are: "train=train,val=eval,test=holdout", several joined by "+"; "none"
    if there are none."""
    labels: str = ""
    """The table with the labels: its name in the dataset, or a path on this machine."""
    classes_from: str = ""
    """One of `CLASSES_FROM`."""
    encoding: str = ""
    """In which file names are written, where they are no UTF-8: "gb18030"."""
    window: tuple[float, ...] = ()
    """(darkest, brightest) value of pictures deeper than 8 bits; see `Window`."""
    ground: str = ""
    """Colour behind transparent pictures; see `Window`."""
    corrections: str = ""
    """Pictures that belong to another class or to none; see `contracts.corrections`."""

    def __post_init__(self):
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", self.source):
            raise BadValue(f"a data source is one lower-case word, got {self.source!r:.60}.")
        if not all(isinstance(getattr(self, name), str) for name in _WORDS):
            raise BadValue("this description of a dataset is ill-formed.")
        if type(self.shots) is not int or not 1 <= self.shots <= 10_000:
            raise BadValue(f"shots takes a whole number from 1 to 10000, got {self.shots!r}.")
        if type(self.seed) is not int or not 0 <= self.seed < 2**31:
            raise BadValue(f"seed takes a whole number from 0 to {2**31 - 1}, got {self.seed!r}.")
        if self.classes_from not in ("", *CLASSES_FROM):
            raise BadValue(
                f"classes cannot come from {self.classes_from!r:.40}.",
                f"Expected one of {', '.join(CLASSES_FROM)}.",
            )
        object.__setattr__(self, "window", tuple(self.window))
        Window(self.window, self.ground)
        parse_splits(self.splits)
        parse_corrections(self.corrections)

    def to_json(self) -> dict[str, Any]:
        """The first six fields, and of the others those that say something; `DataSpec(**values)`
        gives it back."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        written = {name: value for name, value in values.items() if value or name in _ALWAYS}
        if self.window:
            written["window"] = list(self.window)
        return written

    def public(self) -> "DataSpec":
        """This spec with nothing in it that is private: the one rule for what may leave the
        machine.

        Of a path the last part stays. The browser's id, under which the page keeps a person's
        photos, becomes "photos"; the key of an uploaded zip becomes the zip's name. Names that
        everybody may know stay whole: those of bundled sets, of Hub sets, and OWNER/NAME behind the
        source's own word and a colon ("yours:owner/name").
        """
        return replace(self, name=self._public_name(), labels=last_part(self.labels))

    def _public_name(self) -> str:
        if self.source in ("bundled", "hub"):
            return self.name
        word = f"{self.source}:"
        if self.name.startswith(word):
            rest = self.name.removeprefix(word)
            return self.name if _OWNER_AND_NAME.fullmatch(rest) else word + last_part(rest)
        if self.source == "draft":
            return "photos"
        if self.source == "upload":
            return _zip_name(last_part(self.name))
        return last_part(self.name)

    def argument(self) -> str:
        """The word that names this dataset on the command line; nothing private is in it."""
        name = self._public_name()
        return f"hf:{name}" if self.source == "hub" else name

    def reading(self) -> dict[str, str]:
        """Flags that say how the files are to be read, as the command line takes them; nothing
        private is in them.

        {"--classes-from": "parent"}
        """
        values = {
            "image-column": self.image_column,
            "label-column": self.label_column,
            "splits": self.splits,
            "labels": last_part(self.labels),
            "classes-from": self.classes_from,
            "encoding": self.encoding,
            "window": window_text(self.window),
            "ground": self.ground,
            "corrections": self.corrections,
        }
        return {f"--{name}": value for name, value in values.items() if value}


_OWNER_AND_NAME = re.compile(r"[\w-][\w.-]*(/[\w-][\w.-]*)?")
_WORDS = (
    "name",
    "image_column",
    "label_column",
    "splits",
    "labels",
    "encoding",
    "ground",
    "corrections",
)
_ALWAYS = {"source", "name", "shots", "seed", "image_column", "label_column"}


def parse_splits(text: str) -> Mapping[str, str] | None:
    """ "train=a+b,test=c" → {"a": "train", "b": "train", "c": "test"}; {} for "none", None for "".

    Names are in lower case. Raises `BadValue`.
    """
    if not text:
        return None
    if text == "none":
        return {}
    parts: dict[str, str] = {}
    for piece in text.split(","):
        part, equals, names = (word.strip() for word in piece.partition("="))
        if part not in PARTS or not equals or not names:
            raise BadValue(
                f"splits are written train=NAME,val=NAME,test=NAME, got {text!r:.80}.",
                "Several names are joined by +; none says that there are no splits.",
            )
        parts.update({name.strip().lower(): part for name in names.split("+")})
    return parts


def _zip_name(key: str) -> str:
    """What a person called the zip that is kept under this key, "holiday-0123456789ab.zip"."""
    name = re.fullmatch(r"(.+?)(-[0-9a-f]{12})?\.zip", key)
    return f"{name[1]}.zip" if name else "photos.zip"
