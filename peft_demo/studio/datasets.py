"""The datasets of this machine: bundled ones, folders and zips, class cards and uploads, and those
of the Hub."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..contracts.answer import NamedPicture
from ..contracts.cards import DataReport, DatasetCard
from ..contracts.errors import NotAllowed
from ..contracts.progress import Report
from ..contracts.specs import DataSpec
from ..data import (
    Dataset,
    decode,
    find_pictures,
    find_source,
    keepsake,
    open_dataset,
    parse,
    report_of,
    sent_pictures,
    split,
)
from ..data import cards as dataset_cards
from ..data.images import open_header
from ..data.sources.upload import keep_zip
from ..storage.home import Home
from .drafts import Drafts
from .limits import ALONE, Limits

SHOWN_BY_BROWSERS = ("JPEG", "MPO", "PNG", "GIF", "WEBP", "BMP", "ICO")
"""Formats, as Pillow names them."""

Turn = Callable[[Report | None], AbstractContextManager]
"""A context that begins when it is somebody's turn, and reports how many are before them."""


def no_turn(report: Report | None) -> AbstractContextManager:
    """Nobody else is there."""
    return nullcontext()


class Datasets:
    """The `contracts.service.Data` of a home. `allow_local_paths` lets a dataset be named by a
    path. `turn` waits until pictures may be read, within the `limits`."""

    def __init__(
        self,
        home: Home,
        offline: bool,
        allow_local_paths: bool,
        limits: Limits = ALONE,
        turn: Turn = no_turn,
    ):
        self.drafts = Drafts(home, limits.pixels)
        self._home = home
        self._offline = offline
        self._allow_local_paths = allow_local_paths
        self._limits = limits
        self._turn = turn

    @property
    def allows_local_paths(self) -> bool:
        """Whether a dataset may be named by a path of this machine."""
        return self._allow_local_paths

    @property
    def most_pixels(self) -> int:
        """That are decoded for one question."""
        return self._limits.pixels

    def datasets(self) -> list[DatasetCard]:
        return list(dataset_cards())

    def read(
        self,
        argument: str,
        shots: int = 16,
        seed: int = 0,
        **reading: Any,
    ) -> DataSpec:
        """What the command line's DATA means: a bundled name, a folder, a zip, or hf:ID.

        `reading` are fields of `DataSpec` that say how it is read.
        """
        spec, path = parse(argument, shots, seed, **reading)
        return replace(spec, name=str(path)) if path else spec

    def check(self, data: DataSpec, report: Report | None = None) -> DataReport:
        with self.opened(data, report) as dataset:
            return report_of(dataset, split(dataset, data.shots, data.seed, report))

    def turn(self, spec: DataSpec, report: Report | None) -> AbstractContextManager:
        """A context in which the pictures of this dataset may be read; bundled ones take no time,
        and so no turns."""
        return nullcontext() if spec.source == "bundled" else self._turn(report)

    @contextmanager
    def opened(self, spec: DataSpec, report: Report | None = None) -> Iterator[Dataset]:
        """The dataset as `open` gives it, while it is its turn."""
        dataset = self.open(spec, report)
        with self.turn(spec, report):
            yield dataset

    def keep_upload(self, file: Path) -> str:
        self._home.check_room()
        return keep_zip(self._home, Path(file))

    def open(self, spec: DataSpec, report: Report | None = None) -> Dataset:
        """The dataset that `spec` names; `BadData` or `NotAllowed` says why it cannot be had."""
        return open_dataset(
            spec,
            self.locate(spec),
            offline=self._offline,
            report=report,
            most_pixels=self._limits.pixels,
        )

    def pictures(self, words: Sequence[str]) -> list[NamedPicture]:
        """The pictures that paths and patterns of this machine mean; see `data.find_pictures`."""
        check_local_paths(self._allow_local_paths, "a picture of this machine")
        return find_pictures(words)

    def sent(self, files: Sequence[Path]) -> list[NamedPicture]:
        """The pictures in files that the page has stored; see `data.sent_pictures`."""
        return sent_pictures(files)

    def browser_copy(self, file: Path) -> bytes:
        """A PNG or JPEG of a picture that not every browser shows, else nothing."""
        if open_header(file).format in SHOWN_BY_BROWSERS:
            return b""
        return keepsake(decode(file))

    def locate(self, spec: DataSpec) -> Path | None:
        """Where the images lie, None for bundled and Hub sets; `NotAllowed` for a path that may not
        be named."""
        source = find_source(spec.source)
        if source.local:
            check_local_paths(self._allow_local_paths, "a folder or zip of this machine")
        return source.locate(spec.name, self._home)


def check_local_paths(allowed: bool, what: str) -> None:
    """`NotAllowed` unless paths of this machine may be named."""
    if not allowed:
        raise NotAllowed(
            f"{what} may not be named here.",
            "Start the app with --allow-local-paths, or upload it.",
        )
