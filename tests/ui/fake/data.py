"""Datasets and class cards, in memory."""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from peft_demo.contracts.answer import NamedPicture
from peft_demo.contracts.cards import ClassCount, DataReport, DatasetCard
from peft_demo.contracts.errors import BadData, BadImage
from peft_demo.contracts.progress import Report
from peft_demo.contracts.specs import DataSpec

from .examples import DIGITS, EVIL, picture

DIGITS_SET = DatasetCard(
    "digits", "Handwritten digits", "8×8 scans, scikit-learn.", DIGITS, 1797, "CC BY 4.0"
)
SHAPES_SET = DatasetCard(
    "shapes", "Shapes by count", "Drawn.", ("one", "two", EVIL), 600, "Apache-2.0"
)


def _read(file: Path) -> bytes:
    """`BadImage` for a file that holds nothing."""
    if not file.read_bytes():
        raise BadImage("this file is empty.")
    return file.read_bytes()


class FakeDrafts:
    """Class cards: draft → class name → keys of its pictures, which lie in `home`."""

    def __init__(self, home: Path):
        self.home = home
        self.cards: dict[str, dict[str, tuple[str, ...]]] = {}

    def classes(self, draft: str) -> Mapping[str, tuple[str, ...]]:
        return self.cards.get(draft, {})

    def put(self, draft: str, label: str, images: Sequence[Path]) -> tuple[str, ...]:
        keys = tuple(self._keep(Path(image)) for image in images)
        self.cards.setdefault(draft, {})[label] = keys
        return keys

    def rename(self, draft: str, old: str, new: str) -> None:
        classes = self.cards.get(draft, {})
        self.cards[draft] = {
            new if label == old else label: keys for label, keys in classes.items()
        }

    def drop(self, draft: str, label: str) -> None:
        self.cards.get(draft, {}).pop(label, None)

    def image(self, draft: str, key: str) -> Path:
        return self.home / key

    def _keep(self, image: Path) -> str:
        (self.home / image.name).write_bytes(image.read_bytes())
        return image.name


class FakeData:
    """Two bundled sets, class cards, and any upload."""

    def __init__(self, home: Path):
        self.drafts = FakeDrafts(home)

    def datasets(self) -> Sequence[DatasetCard]:
        return DIGITS_SET, SHAPES_SET

    def check(self, data: DataSpec, report: Report | None = None) -> DataReport:
        if data.source == "hub":
            raise BadData("this fake has no network.", "Choose a bundled set.")
        counts = tuple(
            ClassCount(label, images, data.shots, 16, 20, (picture(label), picture(label + "b")))
            for label, images in self._found(data).items()
        )
        problem = "" if len(counts) > 1 else "Two classes at least are needed."
        rejected = (("a/b.txt", "not a picture"),)
        return DataReport(data.name, counts, rejected, ("Two near-duplicates.",), problem)

    def sent(self, files: Sequence[Path]) -> Sequence[NamedPicture]:
        return [NamedPicture(file.name, partial(_read, file)) for file in files]

    def browser_copy(self, file: Path) -> bytes:
        return picture(file.name) if file.suffix == ".tif" else b""

    def keep_upload(self, file: Path) -> str:
        return "upload-1"

    def _found(self, data: DataSpec) -> dict[str, int]:
        """Class → number of its images."""
        if data.source == "draft":
            return {label: len(keys) for label, keys in self.drafts.classes(data.name).items()}
        classes = [card.classes for card in self.datasets() if card.name == data.name]
        return {label: 100 for labels in classes for label in labels}
