"""Everything a page or a command line may ask, in five parts: data, training, zoo, hub, answers.

A face asks for the part it needs. Answers that take long report their progress. All errors are `PeftDemoError`s.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from .adapter_card import AdapterCard
from .cards import (
    BackboneCard,
    Cost,
    DataReport,
    DatasetCard,
    MethodCard,
    Prediction,
    RunCard,
    Score,
    SideBySide,
    Status,
    UploadPreview,
    ZooEntry,
)
from .events import Event
from .progress import Report
from .specs import DataSpec, ImportHints, PushSpec, RunSpec


class Drafts(Protocol):
    """The class cards that a person fills with photos on the page. A `draft` is the browser's id."""

    def classes(self, draft: str) -> Mapping[str, tuple[str, ...]]:
        """Class name → image keys, both in the order they were given."""
        ...

    def put(self, draft: str, label: str, images: Sequence[Path]) -> tuple[str, ...]:
        """Makes the class hold exactly these images (files the server stored, or earlier ones); their keys."""
        ...

    def rename(self, draft: str, old: str, new: str) -> None: ...

    def drop(self, draft: str, label: str) -> None: ...

    def image(self, draft: str, key: str) -> Path:
        """A copy of the picture that may be shown."""
        ...


class Data(Protocol):
    """Datasets: what there is, and what one of them gives."""

    @property
    def drafts(self) -> Drafts: ...

    def datasets(self) -> Sequence[DatasetCard]:
        """The bundled ones."""
        ...

    def check(self, data: DataSpec, report: Report | None = None) -> DataReport:
        """What the dataset gives: counts, previews, rejects. Never trains, may download."""
        ...

    def keep_upload(self, file: Path) -> str:
        """Stores a zip the page uploaded; its key is the `name` of an "upload" DataSpec."""
        ...


class Training(Protocol):
    """Methods, what they cost, and the runs: one at a time, each with its journal."""

    def methods(self) -> Sequence[MethodCard]: ...

    def cost(self, run: RunSpec, classes: int = 10) -> Cost:
        """Trainable parameters, file size and steps, computed without weights."""
        ...

    def status(self) -> Status: ...

    def start(self, run: RunSpec, owner: str = "") -> str:
        """Starts a run in the background and gives its id; `Busy` if one is going on."""
        ...

    def stop(self, run: str, owner: str = "") -> None:
        """Asks the run to end within one step, keeping the best so far."""
        ...

    def runs(self) -> Sequence[RunCard]:
        """All runs, latest first."""
        ...

    def run(self, id: str) -> RunCard:
        """One run; `UnknownName` if there is none of that id."""
        ...

    def follow(self, run: str, cursor: int = 0) -> tuple[Sequence[Event], int]:
        """Events of the run's journal from `cursor` on, and the next cursor."""
        ...


class Zoo(Protocol):
    """Adapters, and the frozen backbones they stand on. An `id` is a key, never a path."""

    def backbones(self) -> Sequence[BackboneCard]: ...

    def entries(self, backbone: str = "") -> Sequence[ZooEntry]:
        """All adapters, own first, then shipped; broken or unusable ones with their `refusal`."""
        ...

    def entry(self, id: str) -> ZooEntry:
        """One of them; `UnknownName` if there is none of that id."""
        ...

    def card(self, id: str) -> AdapterCard: ...

    def file(self, id: str) -> Path:
        """Where the file is; for download the page copies it."""
        ...

    def take(self, file: Path, hints: ImportHints | None = None) -> str:
        """Checks an adapter file and takes it into the zoo; its new id. `BadAdapter` says why not.

        Also a LoRA of huggingface/peft (its folder) and a 1-bit file of its paper's release (`.bin`); `hints` say what
        these do not.
        """
        ...

    def rename(self, id: str, name: str) -> str:
        """Gives the adapter a new name; its new id."""
        ...

    def rename_class(self, id: str, old: str, new: str) -> None: ...

    def delete(self, id: str) -> object:
        """Moves the adapter to the trash folder; `NotAllowed` for shipped ones."""
        ...

    def merge(self, id: str, out: Path) -> None:
        """Writes plain timm weights with the adapter folded in; `CannotMerge` says why not."""
        ...

    def export(self, id: str, to: str, out: Path) -> Sequence[str]:
        """Writes the adapter as "peft" (a new folder) or "onnx" (a file); what there is to know about it, in sentences.

        `CannotExport` says what that format has no place for.
        """
        ...

    def samples(self, id: str) -> Sequence[tuple[str, bytes]]:
        """(class, picture) of the bundled set the adapter was trained on, none of which it has seen; else nothing."""
        ...


class Hub(Protocol):
    """Adapters on the Hugging Face Hub. `NotAllowed` when offline.

    A `token` is used for one call: it is not kept, not logged, and in no error. Empty means the one stored on this
    machine, or none where the machine is shared.
    """

    def preview(self, push: PushSpec) -> UploadPreview:
        """What `push` would make public. Sends nothing, asks nobody."""
        ...

    def push(
        self, push: PushSpec, token: str = "", report: Report | None = None, agreed: str = ""
    ) -> str:
        """Puts what `preview` shows into the repository, made if need be; its address. `HubTrouble` says why not.

        `agreed` is the digest of the preview a person has seen: `NotAllowed` if the files are no longer those.
        """
        ...

    def adapters(self, repo: str, revision: str = "", token: str = "") -> Sequence[ZooEntry]:
        """The adapters in a model repository, by their headers; what cannot be taken has its `refusal`."""
        ...

    def pull(
        self,
        repo: str,
        names: Sequence[str] = (),
        revision: str = "",
        token: str = "",
        report: Report | None = None,
    ) -> Sequence[str]:
        """Takes adapters of a repository (none named: all that can be) into the zoo, all or none; their new ids."""
        ...


class Answers(Protocol):
    """What adapters say of images."""

    def classify(
        self, image: Path | bytes, adapters: Sequence[str], top: int = 5
    ) -> Sequence[Prediction]:
        """One prediction per adapter, each on its own backbone and head."""
        ...

    def predict(
        self, images: Sequence[Path | bytes], adapters: Sequence[str], top: int = 5
    ) -> Sequence[Prediction]:
        """One prediction per image, each by its own adapter; adapters that mix answer in one forward pass.

        An adapter that cannot be loaded answers with its `refusal`.
        """
        ...

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        """The answer attached and merged; `CannotMerge` says why not."""
        ...

    def evaluate(self, id: str, data: DataSpec, report: Report | None = None) -> Score:
        """Accuracy on the dataset's test images (all images where it has no split), seen ones left out."""
        ...


class Service(Protocol):
    """The five parts together, for whoever composes a page.

    The parts may be kept. What hangs on one of them (`data.drafts`) is asked for anew each time, as
    it may be another for each visitor.
    """

    @property
    def offline(self) -> bool: ...

    @property
    def allow_local_paths(self) -> bool: ...

    @property
    def data(self) -> Data: ...

    @property
    def training(self) -> Training: ...

    @property
    def zoo(self) -> Zoo: ...

    @property
    def hub(self) -> Hub: ...

    @property
    def answers(self) -> Answers: ...

    def close(self) -> None:
        """Stops a run in progress, keeping its best."""
        ...
