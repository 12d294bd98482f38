"""What exists, described: methods, backbones, datasets, adapters, runs, answers. Frozen, no tensors, no paths."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from math import isfinite
from typing import Any

from .errors import BadAdapter
from .knobs import Knob
from .specs import RunSpec


@dataclass(frozen=True)
class MethodCard:
    """A method as a person chooses it. `knobs` draws its form, `sites` its picture."""

    name: str
    title: str
    summary: str
    formula: str
    paper: str
    url: str
    sites: tuple[str, ...]
    """Roles of the places in a block where it stands by default: q, k, v, qkv, proj, fc1, fc2, attn, mlp, norm1, ..."""
    merges: bool
    identity: bool
    knobs: tuple[Knob, ...]
    lr: float
    budget: bool = False
    """True where the trainable count is a budget that a survey of the training images spends (SPT)."""


@dataclass(frozen=True)
class BackboneCard:
    """A frozen Vision Transformer one can choose. `source`: "bundled", "registered" or "download"."""

    name: str
    title: str
    source: str
    size: int
    """Image side, pixels."""
    parameters: int
    megabytes: float
    """What a download or the file costs, MB."""
    licence: str = ""
    ready: bool = True
    """Whether it is on this machine already."""
    fingerprint: str = ""


@dataclass(frozen=True)
class DatasetCard:
    """A dataset that comes with the project."""

    name: str
    title: str
    summary: str
    classes: tuple[str, ...]
    images: int
    licence: str


@dataclass(frozen=True)
class ClassCount:
    """How one class was split. `found` images, of which the split uses `train`, `val` and `test`."""

    name: str
    found: int
    train: int
    val: int
    test: int
    previews: tuple[bytes, ...] = ()
    """Up to four thumbnails, PNG or JPEG, EXIF-free."""


@dataclass(frozen=True)
class DataReport:
    """What a dataset gives before anything is trained."""

    title: str
    counts: tuple[ClassCount, ...]
    rejected: tuple[tuple[str, str], ...] = ()
    """(file, reason) of everything that was left out."""
    notices: tuple[str, ...] = ()
    """Sentences: shots capped, near-duplicates, no test images, columns guessed, classes missing in a split."""
    problem: str = ""
    """Why this cannot be trained on, empty if it can."""
    columns: tuple[str, ...] = ()
    """Columns of a Hub dataset to choose from."""
    image_column: str = ""
    label_column: str = ""

    @property
    def classes(self) -> tuple[str, ...]:
        return tuple(c.name for c in self.counts)


@dataclass(frozen=True)
class Cost:
    """What a run would cost, before it starts."""

    trainable: int
    head: int
    share: float
    """trainable / parameters of the backbone"""
    file_bytes: int
    steps: int
    budget: bool = False
    """True where `trainable` is a budget (SPT), exact only after its survey."""


@dataclass(frozen=True)
class AdapterCard:
    """The card inside an adapter file: all that is needed to rebuild, check, reproduce and judge it."""

    name: str
    method: str
    knobs: Mapping[str, Any]
    classes: tuple[str, ...]
    backbone: str
    """Catalogue name of the backbone."""
    arch: str
    """timm architecture."""
    fingerprint: str
    """SHA-256 of the backbone's source tensors."""
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    interpolation: str
    spec: Mapping[str, Any]
    """The `RunSpec` as JSON, paths cut to their last part."""
    trainable: int
    head: int
    val_accuracy: float | None = None
    val_images: int = 0
    test_accuracy: float | None = None
    test_images: int = 0
    seconds: float = 0.0
    created: str = ""
    """ISO 8601, UTC."""
    split: str = ""
    """SHA-256 over the hashes of the chosen images."""
    seen: tuple[str, ...] = ()
    """Hashes of training and validation images, left out by `evaluate`."""
    curve: tuple[tuple[float, float], ...] = ()
    """(step, training loss), thinned to at most 100 points."""
    accuracy_curve: tuple[tuple[float, float], ...] = ()
    """(step, validation accuracy)"""
    replaced: tuple[str, ...] = ()
    """Names of the backbone tensors the file replaces."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """What the method needs to be rebuilt beside its knobs (SPT's allocation)."""
    versions: Mapping[str, str] = field(default_factory=dict)
    thumbnail: str = ""
    """A small JPEG of one training image in base64, only if the person asked for it."""

    def to_json(self) -> dict:
        return asdict(self)

    @staticmethod
    def from_json(plain: Mapping) -> "AdapterCard":
        """The card again; unknown keys of later versions are ignored, `BadAdapter` if one of ours is missing or odd."""
        known = {f.name for f in fields(AdapterCard)}
        try:
            card = AdapterCard(**{k: _tuples(v) if isinstance(v, list) else v for k, v in plain.items() if k in known})
        except TypeError:
            raise BadAdapter("the card inside this adapter file lacks a field.") from None
        _check(card)
        return card

    def command(self) -> str:
        """The command that reproduces this adapter, from its checked spec."""
        return RunSpec.from_json(self.spec).command()


_PICTURE_LIMIT = 40_000
_TEXT = ("name", "method", "backbone", "arch", "fingerprint", "interpolation", "created", "split")
_MAPPINGS = ("knobs", "spec", "extra", "versions")


def _check(card: AdapterCard) -> None:
    texts = [getattr(card, n) for n in _TEXT] + list(card.classes)
    sized = isinstance(card.size, int) and 1 <= card.size <= 4096
    if not all(isinstance(t, str) and len(t) <= 500 for t in texts) or not card.classes or not sized:
        raise BadAdapter("the card inside this adapter file is ill-formed.")
    if not re.fullmatch("[0-9a-f]{64}", card.fingerprint):
        raise BadAdapter("the card inside this adapter file has no SHA-256 for its backbone.")
    if not isinstance(card.thumbnail, str) or len(card.thumbnail) > _PICTURE_LIMIT:
        raise BadAdapter("the card inside this adapter file has an ill-formed thumbnail.")
    if not all(isinstance(getattr(card, n), Mapping) for n in _MAPPINGS):
        raise BadAdapter("the card inside this adapter file is ill-formed.")
    normalisation = (*card.mean, *card.std)
    if len(normalisation) != 6 or any(not isinstance(v, int | float) or not isfinite(v) for v in normalisation):
        raise BadAdapter("the card inside this adapter file has an ill-formed normalisation.")
    if min(card.std) <= 0:
        raise BadAdapter("the card inside this adapter file divides by a normalisation that is not positive.")
    if not all(map(_figure, _figures(card))):
        raise BadAdapter("the card inside this adapter file holds a figure that is none.")


def _figures(card: AdapterCard):
    """All that is shown as a number."""
    yield from (card.trainable, card.head, card.val_images, card.test_images, card.seconds)
    yield from (a for a in (card.val_accuracy, card.test_accuracy) if a is not None)
    for points in (card.curve, card.accuracy_curve):
        yield from (v for p in points for v in (p if isinstance(p, tuple) and len(p) == 2 else (None,)))


def _figure(value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def _tuples(value):
    return tuple(_tuples(v) for v in value) if isinstance(value, list) else value


@dataclass(frozen=True)
class ZooEntry:
    """A line of the adapter table. `card` is None if the file is unreadable; `refusal` says why it cannot answer."""

    id: str
    """Key in the zoo, never a path: the file's stem."""
    file_bytes: int
    shipped: bool
    """From the read-only zoo that comes with the project."""
    card: AdapterCard | None
    refusal: str = ""


@dataclass(frozen=True)
class Parcel:
    """What a push would put on the Hub, for a person to read before anything is sent."""

    repo: str
    files: tuple[tuple[str, int], ...]
    """(name, bytes)"""
    card: str
    """The model card, README.md of the repository."""
    told: tuple[str, ...] = ()
    """Sentences: what about a person or their images can be read from the files, and what was left out."""
    digest: str = ""
    """SHA-256 over the names and contents of the files: what exactly was shown."""


@dataclass(frozen=True)
class Prediction:
    """What one adapter says of one image. `top` is (class, probability), best first."""

    adapter: str
    top: tuple[tuple[str, float], ...]
    ms: float
    """Forward pass, milliseconds."""
    swap_ms: float = 0.0
    """Choosing (and where needed loading) the adapter, milliseconds."""

    refusal: str = ""
    """Why there is no answer; `top` is empty then."""

    @property
    def label(self) -> str:
        return self.top[0][0]

    @property
    def probability(self) -> float:
        return self.top[0][1]


@dataclass(frozen=True)
class SideBySide:
    """One adapter's answer with its seams in the tree, and with the adapter folded into the weights."""

    attached: Prediction
    merged: Prediction
    attached_ratio: float
    """Time of a forward pass as a multiple of the frozen model's, the median over alternating passes."""
    merged_ratio: float
    difference: float
    """The largest between two probabilities."""


@dataclass(frozen=True)
class Score:
    """Accuracy of an adapter on a dataset. `left_out` images had been trained or validated on."""

    accuracy: float
    images: int
    left_out: int
    per_class: tuple[tuple[str, float, int], ...] = ()
    """(class, accuracy, images)"""


@dataclass(frozen=True)
class RunCard:
    """A line of the run list. `state`: queued, preparing, running, stopping, done, stopped, failed, interrupted."""

    id: str
    state: str
    spec: RunSpec
    started: str
    """ISO 8601, UTC."""
    adapter: str = ""
    val_accuracy: float | None = None
    test_accuracy: float | None = None


@dataclass(frozen=True)
class Status:
    """The header's line. `run` is the one in progress or the latest; `device` is "cpu", "cuda" or "mps"."""

    state: str
    """idle, or the state of `run`."""
    run: str = ""
    step: int = 0
    steps: int = 0
    eta_s: float = 0.0
    device: str = "cpu"
    memory_mb: float = 0.0
    message: str = ""

    @property
    def busy(self) -> bool:
        return self.state in ("queued", "preparing", "running", "stopping")
