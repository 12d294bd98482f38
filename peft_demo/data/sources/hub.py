"""Datasets of the Hugging Face Hub, streamed: only as many rows are read as a few-shot split can use."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ...contracts.errors import BadData, BadImage, BadValue, NotAllowed, PeftDemoError
from ...contracts.progress import Report
from ...contracts.specs import DataSpec
from ..arrange import agree
from ..dataset import Dataset, Example
from ..images import open_header, size_refusal
from ..names import listed
from . import Request, Source

MAX_ROWS = 20_000
"""Rows of one split that are looked through at most: sets sorted by class make us wade."""
TEST_ROWS = 50
"""Test images per class."""
_FEW_ROWS = 2_000
"""Where classes are only known from the rows themselves, at least so many are looked through."""

_IMAGE_NAMES = ("image", "img", "images", "picture", "photo", "pixel_values", "jpg", "png", "webp")
_LABEL_NAMES = (
    "label",
    "labels",
    "class",
    "category",
    "target",
    "fine_label",
    "cls",
    "species",
    "name",
)
_PARTS = {"val": ("validation", "valid", "val", "dev"), "test": ("test", "testing")}


def parse(word: str) -> str | None:
    """The id in "hf:OWNER/NAME" or "hf:OWNER/NAME:CONFIGURATION"."""
    return word.removeprefix("hf:") if word.startswith("hf:") else None


def open_hub(request: Request) -> Dataset:
    """The rows of the Hub dataset "OWNER/NAME" or "OWNER/NAME:CONFIGURATION" that a split can use.

    Image and label column are guessed unless the spec names them; the guess is among the notices. Raises `NotAllowed`
    when offline, `BadData` if the dataset cannot be had or has no such columns.
    """
    spec = request.spec
    if request.offline:
        raise NotAllowed(
            "a Hub dataset needs the network, which is switched off here.",
            "Take a bundled set or a zip.",
        )
    try:
        return _read(spec, _parts(_streams(spec.name)), request.report)
    except PeftDemoError:
        raise
    except Exception as error:  # the network, the Hub, parquet, arrow: each has errors of its own
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise BadData(
            f"the Hub dataset {spec.name!r} could not be read: {reason}", "Check its name."
        ) from error


HUB = Source("hub", open_hub, parse=parse)


def _streams(name: str) -> Mapping:
    """Split name → iterable of rows. The one place that talks to the Hub."""
    id, _, configuration = name.partition(":")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", id) or ".." in id:
        raise BadValue(
            f"a Hub dataset is named OWNER/NAME, got {id!r}.", "For instance uoft-cs/cifar10."
        )
    if Path(id).exists():  # `datasets` would take a folder of that name instead
        raise BadValue(f"{id!r} is a folder here as well.", "Start from another working directory.")
    from datasets import load_dataset

    return load_dataset(id, configuration or None, streaming=True)


def _parts(streams: Mapping) -> dict:
    """ "train", "val", "test" → stream, as far as given; whatever is left of a set without "train" stands for it."""
    named = {
        part: next((streams[n] for n in names if n in streams), None)
        for part, names in _PARTS.items()
    }
    other = [n for n in streams if not any(n in names for names in _PARTS.values())]
    if not other:  # only validation or only test rows: they are divided here
        return {"": next(iter(streams.values()))}
    train = "train" if "train" in other else other[0]
    return {"train": streams[train]} | {
        part: stream for part, stream in named.items() if stream is not None
    }


def _read(spec: DataSpec, parts: dict, report: Report | None) -> Dataset:
    features = _features(next(iter(parts.values())))
    image = _column(spec.image_column, features, _is_image)
    label = _column(spec.label_column, features, _is_label)
    names = getattr(features[label], "names", None)
    found = []
    rejected = []
    notices = [f"Columns: pictures from {image!r}, classes from {label!r}."]
    for part, stream in parts.items():
        rows = _Rows(part, image, label, names, _wanted(part, parts, spec.shots))
        found += rows.take(_narrow(stream, image, label, spec.seed), report)
        rejected += rows.rejected
        notices += rows.notices
    classes, differences = agree({(part, name) for part, name, _ in found})
    examples = _examples(found, classes)
    notices += differences
    return Dataset(
        spec.name, classes, examples, tuple(rejected), tuple(notices), tuple(features), image, label
    )


def _wanted(part: str, parts: dict, shots: int) -> int:
    """Rows per class: shots for training, as many again for validation, a quarter more where test is held out."""
    if part == "test":
        return TEST_ROWS
    if part == "val":
        return shots
    train = shots if "val" in parts else 2 * shots
    return train if "test" in parts else max(3, train + -(-train // 4))


def _examples(found: list, classes: tuple[str, ...]) -> tuple[Example, ...]:
    index = {name: label for label, name in enumerate(classes)}
    kept = [(index[name], part, data) for part, name, data in found if name in index]
    return tuple(
        Example(lb, part, _name(part, classes[lb], data), partial(bytes, data))
        for lb, part, data in kept
    )


def _name(part: str, label: str, data: bytes) -> str:
    """Rows have no names; one made of the content is the same in whatever order they come."""
    return "/".join(filter(None, (part, label, sha256(data).hexdigest()[:12])))


class _Rows:
    """Takes up to `wanted` pictures per class from a stream of rows; `names` are the classes, None if unknown."""

    def __init__(self, part: str, image: str, label: str, names: list[str] | None, wanted: int):
        self.part = part
        self.image = image
        self.label = label
        self.names = names
        self.wanted = wanted
        self.counts = Counter()
        self.seen = set()
        self.rejected = []
        self.notices = []

    def take(self, rows: Iterable[Mapping], report: Report | None) -> list[tuple[str, str, bytes]]:
        found = []
        number = 0
        unlabelled = 0
        for number, row in enumerate(islice(rows, MAX_ROWS), 1):
            if report and number % 50 == 1:
                report(f"reading {self.part or 'the'} rows", self._fraction(number))
            name = _label(row[self.label], self.names)
            unlabelled += name is None
            if (
                name is not None
                and self.counts[name] < self.wanted
                and (data := self._picture(row, number))
            ):
                self.counts[name] += 1
                found.append((self.part, name, data))
            if self._full(number):
                break
        self._notice(number, unlabelled)
        return found

    def _picture(self, row: Mapping, number: int) -> bytes | None:
        try:
            data = _bytes(row[self.image])
            open_header(data)
        except BadImage as error:
            self.rejected.append((f"{self.part or 'row'} {number}", error.sentence))
            return None
        digest = sha256(data).digest()
        fresh = digest not in self.seen
        self.seen.add(digest)
        return data if fresh else None

    def _full(self, number: int) -> bool:
        classes = self.names or self.counts
        return (self.names is not None or number >= _FEW_ROWS) and all(
            self.counts[c] >= self.wanted for c in classes
        )

    def _fraction(self, number: int) -> float:
        wanted = self.wanted * len(self.names or ())
        return min(
            1.0, max(sum(self.counts.values()) / wanted if wanted else 0.0, number / MAX_ROWS)
        )

    def _notice(self, rows: int, unlabelled: int) -> None:
        where = f"{self.part}: " if self.part else ""
        missing = [name for name in self.names or () if not self.counts[name]]
        if missing:
            self.notices.append(
                f"{where}no picture of {listed(missing)} among the first {rows} rows."
            )
        if unlabelled:
            self.notices.append(f"{where}{unlabelled} rows without a label were left out.")


def _features(stream) -> Mapping:
    return (
        stream.features or stream._resolve_features().features
    )  # unknown until a row is read in some formats


def _narrow(stream, image: str, label: str, seed: int):
    """The two columns, shuffled by shards and in a window, pictures left encoded."""
    from datasets import Image

    stream = stream.shuffle(seed=seed, buffer_size=500).select_columns([image, label])
    is_image = type(_features(stream)[image]).__name__ == "Image"
    return stream.cast_column(image, Image(decode=False)) if is_image else stream


def _column(chosen: str, features: Mapping, suits) -> str:
    if chosen and chosen not in features:
        raise BadData(f"no column {chosen!r};", f"the columns are {', '.join(features)}.")
    best = max(features, key=lambda name: suits(name, features[name]))
    if not chosen and not suits(best, features[best]):
        what = "pictures" if suits is _is_image else "labels"
        raise BadData(f"no column of {what} was found;", f"choose one of {', '.join(features)}.")
    return chosen or best


def _is_image(name: str, feature) -> int:
    """How much this looks like the column of pictures, 0 if not at all."""
    if type(feature).__name__ == "Image":
        return 3
    holds_bytes = (
        "bytes" in feature
        if isinstance(feature, Mapping)
        else getattr(feature, "dtype", "") == "binary"
    )
    return holds_bytes * (2 if name.lower() in _IMAGE_NAMES else 1)


def _is_label(name: str, feature) -> int:
    by_name = (
        len(_LABEL_NAMES) - _LABEL_NAMES.index(name.lower()) if name.lower() in _LABEL_NAMES else 0
    )
    if type(feature).__name__ == "ClassLabel":
        return 200 + by_name
    plain = getattr(feature, "dtype", "").startswith(
        ("int", "uint", "string", "large_string", "bool")
    )
    return by_name if plain else 0


def _label(value, names: list[str] | None) -> str | None:
    """The class's name, None where the row has none (unlabelled test rows carry -1)."""
    if names is not None:
        return names[value] if isinstance(value, int) and 0 <= value < len(names) else None
    text = "" if value is None else str(value).strip()
    return text[:255] or None


def _bytes(cell) -> bytes:
    """The encoded picture in a cell. A stranger wrote it: it may name files of the Hub, never files of this machine."""
    cell = {"bytes": cell} if isinstance(cell, bytes) else cell or {}
    data = cell.get("bytes")
    place = cell.get("path") or ""
    if data is None and place.rpartition("::")[2].startswith("hf://"):
        import fsspec

        with fsspec.open(place, "rb") as file:
            data = file.read()
    if data is None:
        raise BadImage("this row holds no picture.")
    if refusal := size_refusal(len(data)):
        raise BadImage(refusal)
    return data
