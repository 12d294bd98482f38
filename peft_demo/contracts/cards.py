"""What exists, described: methods, backbones, datasets, adapters, runs, answers. Frozen, no
tensors, no paths."""

import shlex
from dataclasses import dataclass

from .adapter_card import AdapterCard
from .doubt import LIMIT
from .knobs import Knob
from .run_state import RunState
from .specs import RunSpec
from .window import Window


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
    """Roles of the places in a block where it stands by default: q, k, v, qkv, proj, fc1, fc2,
    attn, mlp, norm1, ..."""
    merges: bool
    identity: bool
    knobs: tuple[Knob, ...]
    lr: float
    """Its own learning rate of all but the head."""
    head_lr: float = 0.0
    """Its own learning rate of the head."""
    family: str = ""
    """One of `contracts.families`, "" for none of them."""
    budget: bool = False
    """True where the trainable count is a budget that a survey of the training images spends
    (SPT)."""


@dataclass(frozen=True)
class BackboneCard:
    """A frozen Vision Transformer one can choose. `source`: "bundled", "registered" or
    "download"."""

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
    refusal: str = ""
    """Why it cannot be used and what to do, "" if it can."""
    notices: tuple[str, ...] = ()
    """What was converted or left out when it was registered."""


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
    """How one class was split. `found` images, of which the split uses `train`, `val` and
    `test`."""

    name: str
    found: int
    train: int
    val: int
    test: int
    previews: tuple[bytes, ...] = ()
    """Up to four thumbnails, PNG or JPEG, EXIF-free."""
    keys: tuple[str, ...] = ()
    """By what a correction names the picture of each thumbnail; see `corrections`."""


@dataclass(frozen=True)
class Alternative:
    """Another way to read a dataset, for a person to choose."""

    text: str
    """What would be read then: "classes from the folder around each picture: cat, dog, car"."""
    choice: tuple[tuple[str, str], ...]
    """Fields of the `DataSpec` and what to set them to: (("classes_from", "parent"),)."""

    @property
    def flags(self) -> str:
        """The same for the command line: "--classes-from parent"."""
        words = [f"--{name.replace('_', '-')} {shlex.quote(value)}" for name, value in self.choice]
        return " ".join(words)


@dataclass(frozen=True)
class DataReport:
    """What a dataset gives before anything is trained."""

    title: str
    counts: tuple[ClassCount, ...]
    rejected: tuple[tuple[str, str], ...] = ()
    """(file, reason) of everything that was left out."""
    notices: tuple[str, ...] = ()
    """Sentences: shots capped, near-duplicates, no test images, columns guessed, classes missing in
    a split."""
    problem: str = ""
    """Why this cannot be trained on, empty if it can."""
    columns: tuple[str, ...] = ()
    """Columns of a Hub dataset to choose from."""
    image_column: str = ""
    label_column: str = ""
    reading: str = ""
    """How the files were read, in one line: "two splits, train and eval→validation; classes from
    the folders below"."""
    alternatives: tuple[Alternative, ...] = ()
    doubt: str = ""
    """What a person should look at before training, empty if nothing: pictures that became
    blank."""
    window: Window = Window()
    """How pictures become plain RGB; chosen from the training images unless the spec says it."""
    comparisons: tuple[tuple[bytes, bytes], ...] = ()
    """Up to four pictures as they are stored and with the window, JPEG; none where it changes
    nothing."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of the classes, in the order of their labels."""
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
    seconds: float | None = None
    """How long it would take, by earlier runs of the same method, backbone and image size on this
    machine; None where there are none."""


THUMBNAILS = 4
"""Pictures that stand for an adapter, at most."""


@dataclass(frozen=True)
class ZooEntry:
    """An adapter as a list shows it. `card` is None if the file is unreadable; `refusal` says why
    it cannot answer."""

    id: str
    """Key in the zoo, never a path: the file's stem."""
    file_bytes: int
    shipped: bool
    """From the read-only zoo that comes with the project."""
    card: AdapterCard | None
    refusal: str = ""


@dataclass(frozen=True)
class Taken:
    """What became of one adapter that a person wanted to add."""

    name: str
    """Of its file or folder, as the person knows it."""
    id: str = ""
    """Its id in the zoo, "" where it was refused."""
    refusal: str = ""
    """Why it was refused and what to do, "" if it was not."""


@dataclass(frozen=True)
class SharedRepo:
    """A model repository of the Hub that holds adapters of ours, by what its tags say."""

    repo: str
    """OWNER/NAME"""
    methods: tuple[str, ...]
    backbones: tuple[str, ...]
    """Those of this machine that its adapters stand on."""
    downloads: int
    """Of the last thirty days, as the Hub counts them."""
    likes: int


@dataclass(frozen=True)
class UploadPreview:
    """What a push would put on the Hub, for a person to read before anything is sent."""

    repo: str
    files: tuple[tuple[str, int], ...]
    """(name, bytes)"""
    card: str
    """The model card, README.md of the repository."""
    disclosures: tuple[str, ...] = ()
    """Sentences: what about a person or their images can be read from the files, and what was left
    out."""
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
    doubt: float | None = None
    """That it is of any of the classes, from 0 to 1, see `contracts.doubt`; None where the adapter
    cannot say."""

    @property
    def is_none(self) -> bool:
        """Whether it is none of the classes, as far as the adapter can say."""
        return self.doubt is not None and self.doubt > LIMIT

    @property
    def label(self) -> str:
        return self.top[0][0]

    @property
    def probability(self) -> float:
        return self.top[0][1]


@dataclass(frozen=True)
class Sample:
    """A picture to try an adapter on, which it has not learned from."""

    label: str
    picture: bytes
    """PNG or JPEG."""
    answer: str = ""
    """What the adapter said of it at the end of its run, "" where it was not asked."""
    probability: float = 0.0
    """Of that answer."""


@dataclass(frozen=True)
class SideBySide:
    """One adapter's answer with its seams in the tree, and with the adapter folded into the
    weights."""

    attached: Prediction
    merged: Prediction
    attached_ratio: float
    """Time of a forward pass as a multiple of the frozen model's, the median over alternating
    passes."""
    merged_ratio: float
    difference: float
    """The largest between two probabilities."""


@dataclass(frozen=True)
class RunCard:
    """A line of the run list."""

    id: str
    state: RunState
    spec: RunSpec
    started: str
    """ISO 8601, UTC."""
    adapter: str = ""
    val_accuracy: float | None = None
    val_images: int = 0
    test_accuracy: float | None = None
    test_images: int = 0
    title: str = ""
    """What a person calls it, "" if they have not said."""
    place: int = 0
    """Its place in the line of runs that wait, from 1; 0 does not wait here."""


@dataclass(frozen=True)
class Status:
    """The header's line. `run` is the one in progress or the latest; `device` is "cpu", "cuda" or
    "mps"."""

    state: RunState
    """Idle, or the state of `run`."""
    run: str = ""
    step: int = 0
    steps: int = 0
    eta_s: float = 0.0
    device: str = "cpu"
    memory_mb: float = 0.0
    message: str = ""
    queues: bool = True
    """Whether a run that is started meanwhile waits for its turn; else it is refused."""

    @property
    def busy(self) -> bool:
        """Whether a run is going on."""
        return self.state.is_busy
