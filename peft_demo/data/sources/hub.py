"""Datasets of the Hugging Face Hub, streamed: only as many rows are read as a few-shot split can
use."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from typing import Any

from ...contracts.data_spec import DataSpec, parse_splits
from ...contracts.errors import BadData, BadImage, BadValue, NotAllowed, PeftDemoError
from ...contracts.progress import Report
from ...storage.paths import is_there
from ..arrange import agree
from ..dataset import Dataset, Example
from ..hub_columns import Labels, image_column, label_column
from ..images import open_header, size_refusal
from ..names import listed, name_notices
from ..split_words import split_name
from ..wording import splits_clause
from . import Request, Source

MAX_ROWS = 20_000
"""Rows of one split that are looked through at most: sets sorted by class make us wade."""
TEST_ROWS = 50
"""Test images per class."""
PEEK_ROWS = 1_000
"""Rows, without their pictures, that tell which column holds classes."""
_FEW_ROWS = 2_000
"""Where classes are only known from the rows themselves, at least so many are looked through."""

Stream = Any
"""A split as `datasets` streams it."""
Found = tuple[str, str, bytes]
"""(split, class, encoded picture)"""


def parse(word: str) -> str | None:
    """The id in "hf:OWNER/NAME" or "hf:OWNER/NAME:CONFIGURATION"."""
    return word.removeprefix("hf:") if word.startswith("hf:") else None


def open_hub(request: Request) -> Dataset:
    """The rows of the Hub dataset "OWNER/NAME" or "OWNER/NAME:CONFIGURATION" that a split can use.

    Image and label column are guessed unless the spec names them; the guess is in the reading.
    Raises `NotAllowed` when offline, `BadData` if the dataset cannot be had or has no such columns.
    """
    spec = request.spec
    if request.offline:
        raise NotAllowed(
            "a Hub dataset needs the network, which is switched off here.",
            "Take a bundled set or a zip.",
        )
    try:
        return _read(spec, _streams(spec.name), request.report)
    except PeftDemoError:
        raise
    except Exception as error:  # the network, the Hub, parquet, arrow: each has errors of its own
        reason = (str(error) or type(error).__name__).splitlines()[0][:200]
        raise BadData(
            f"the Hub dataset {spec.name!r} could not be read: {reason}", "Check its name."
        ) from error


HUB = Source("hub", open_hub, parse=parse)


def _streams(name: str) -> Mapping[str, Stream]:
    """Split name → iterable of rows. The one place that talks to the Hub."""
    id, _, configuration = name.partition(":")
    if not re.fullmatch(r"[\w.-]+/[\w.-]+", id) or ".." in id:
        raise BadValue(
            f"a Hub dataset is named OWNER/NAME, got {id!r}.", "For instance uoft-cs/cifar10."
        )
    if is_there(Path(id)):  # `datasets` would take a folder of that name instead
        raise BadValue(f"{id!r} is a folder here as well.", "Start from another working directory.")
    from datasets import load_dataset

    streams = load_dataset(id, configuration or None, streaming=True)
    return {str(split): stream for split, stream in streams.items()}


def split_parts(names: Iterable[str], choice: Mapping[str, str] | None = None) -> dict[str, str]:
    """Name of a given split → "train", "val", "test", each once; what is left of a set without
    "train" stands for it.

    {"test": ""} where there are only validation or test rows: they are divided here. `choice` is
    what a person says.
    """
    names = list(names)
    if choice is not None:
        return {name: choice[name.lower()] for name in names if name.lower() in choice}
    said = {name: split_name(name) for name in names}
    parts: dict[str, str] = {}
    for part in ("train", "val", "test"):
        of_part = [name for name in names if (s := said[name]) and s.part == part]
        exact = [name for name in of_part if name == part]
        parts |= dict.fromkeys((exact or of_part)[:1], part)
    if "train" in parts.values():
        return parts
    other = [name for name in names if said[name] is None]
    if not other:
        return {names[0]: ""}
    return {other[0]: "train"} | parts


def _read(spec: DataSpec, streams: Mapping[str, Stream], report: Report | None) -> Dataset:
    splits = split_parts(streams, parse_splits(spec.splits))
    if not splits:
        raise BadData(
            f"no split is called as in --splits {spec.splits}.",
            f"The splits are {', '.join(streams)}.",
        )
    first = streams[next(iter(splits))]
    features = _features(first)
    image = image_column(spec.image_column, features)
    labels = label_column(spec.label_column, features, image, partial(_peek, first))
    found: list[Found] = []
    rejected: list[tuple[str, str]] = []
    notices: list[str] = []
    for name, part in splits.items():
        rows = _Rows(part, image, labels, _wanted(part, splits.values(), spec.shots))
        stream = _narrow(streams[name], image, labels.column, spec.seed)
        found += rows.take(stream, report)
        rejected += rows.rejected
        notices += rows.notices
    classes, differences = agree({(part, name) for part, name, _ in found})
    given = {name: part for name, part in splits.items() if part}
    return Dataset(
        spec.name,
        classes,
        _examples(found, classes),
        tuple(rejected),
        (*notices, *differences, *name_notices(classes)),
        columns=tuple(features),
        image_column=image,
        label_column=labels.column,
        reading=f"{splits_clause(given)}; pictures from {image!r}, classes from {labels.column!r}",
        alternatives=labels.alternatives,
        doubt=labels.doubt,
    )


def _wanted(part: str, given: Iterable[str], shots: int) -> int:
    """Rows per class: shots for training, as many again for validation, a quarter more where test
    is held out."""
    if part == "test":
        return TEST_ROWS
    if part == "val":
        return shots
    given = set(given)
    train = shots if "val" in given else 2 * shots
    return train if "test" in given else max(3, train + -(-train // 4))


def _examples(found: Sequence[Found], classes: Sequence[str]) -> tuple[Example, ...]:
    index = {name: label for label, name in enumerate(classes)}
    return tuple(
        Example(index[name], part, _name(part, name, data), partial(bytes, data))
        for part, name, data in found
        if name in index
    )


def _name(part: str, label: str, data: bytes) -> str:
    """Rows have no names; one made of the content is the same in whatever order they come."""
    return "/".join(filter(None, (part, label, sha256(data).hexdigest()[:12])))


class _Rows:
    """Takes up to `wanted` pictures per class from a stream of rows."""

    def __init__(self, part: str, image: str, labels: Labels, wanted: int):
        self.part = part
        self.image = image
        self.labels = labels
        self.wanted = wanted
        self.counts: Counter[str] = Counter()
        self.seen: set[bytes] = set()
        self.rejected: list[tuple[str, str]] = []
        self.notices: list[str] = []

    def take(self, rows: Iterable[Mapping], report: Report | None) -> list[Found]:
        """The pictures, each once; at most `MAX_ROWS` rows are looked at."""
        found: list[Found] = []
        number = 0
        unlabelled = 0
        for number, row in enumerate(islice(rows, MAX_ROWS), 1):
            if report and number % 50 == 1:
                report(f"reading {self.part or 'the'} rows", self._fraction(number))
            name = self.labels.of(row[self.labels.column])
            if name is None:
                unlabelled += 1
            elif self.counts[name] < self.wanted:
                data = self._picture(row, number)
                if data is not None:
                    self.counts[name] += 1
                    found.append((self.part, name, data))
            if self._full(number):
                break
        self._notice(number, unlabelled)
        return found

    def _picture(self, row: Mapping, number: int) -> bytes | None:
        """The picture of a row, None if it cannot be read or came before."""
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
        if self.labels.names is None and number < _FEW_ROWS:
            return False
        return all(self.counts[c] >= self.wanted for c in self.labels.names or self.counts)

    def _fraction(self, number: int) -> float:
        wanted = self.wanted * len(self.labels.names or ())
        full = self.counts.total() / wanted if wanted else 0.0
        return min(1.0, max(full, number / MAX_ROWS))

    def _notice(self, rows: int, unlabelled: int) -> None:
        where = f"{self.part}: " if self.part else ""
        missing = [name for name in self.labels.names or () if not self.counts[name]]
        if missing:
            self.notices.append(
                f"{where}no picture of {listed(missing)} among the first {rows} rows."
            )
        if unlabelled:
            self.notices.append(f"{where}{unlabelled} rows without a label were left out.")


def _features(stream: Stream) -> Mapping[str, Any]:
    """Types by column; unknown until a row is read in some formats."""
    return stream.features or stream._resolve_features().features


def _peek(stream: Stream, columns: Sequence[str]) -> dict[str, list[Any]]:
    """The cells of the first rows of these columns; pictures are not read."""
    rows = list(islice(stream.select_columns(list(columns)), PEEK_ROWS)) if columns else []
    return {name: [row[name] for row in rows] for name in columns}


def _narrow(stream: Stream, image: str, label: str, seed: int) -> Stream:
    """The two columns, shuffled by shards and in a window, pictures left encoded."""
    from datasets import Image

    stream = stream.shuffle(seed=seed, buffer_size=500).select_columns([image, label])
    is_image = type(_features(stream)[image]).__name__ == "Image"
    return stream.cast_column(image, Image(decode=False)) if is_image else stream


def _bytes(cell: bytes | Mapping[str, Any] | None) -> bytes:
    """The encoded picture in a cell. A stranger wrote it: it may name files of the Hub, never files
    of this machine."""
    fields = {"bytes": cell} if isinstance(cell, bytes) else dict(cell or {})
    data = fields.get("bytes")
    place = str(fields.get("path") or "")
    if data is None and place.rpartition("::")[2].startswith("hf://"):
        import fsspec

        remote: Any = fsspec.open(place, "rb")  # fsspec declares a list of files too
        with remote as file:
            data = file.read()
    if data is None:
        raise BadImage("this row holds no picture.")
    if refusal := size_refusal(len(data)):
        raise BadImage(refusal)
    return data
