"""Everything a page or a command line may ask. `studio.Studio` answers; tests answer with something smaller.

No tensor, no path chosen by a browser and no thread crosses this line. Uploads come as bytes or as files the server
itself has stored; everything else is named by keys the service gave out. All errors are `PeftDemoError`s.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from .cards import (
    AdapterCard,
    BackboneCard,
    Cost,
    DataReport,
    DatasetCard,
    MethodCard,
    Parcel,
    Prediction,
    RunCard,
    Score,
    SideBySide,
    Status,
    ZooEntry,
)
from .events import Event
from .specs import DataSpec, Foreign, PushSpec, RunSpec

Report = Callable[[str, float], None]
"""(what, fraction of 1 or -1): called in the asking thread while something long goes on."""


class Service(Protocol):
    offline: bool
    allow_local_paths: bool

    # what there is ---------------------------------------------------------------------------------------------
    def methods(self) -> Sequence[MethodCard]: ...
    def backbones(self) -> Sequence[BackboneCard]: ...
    def datasets(self) -> Sequence[DatasetCard]: ...
    def status(self) -> Status: ...

    # data ------------------------------------------------------------------------------------------------------
    def check(self, data: DataSpec, report: Report | None = None) -> DataReport:
        """What the dataset gives: counts, previews, rejects. Never trains, may download."""

    def keep_upload(self, file: Path) -> str:
        """Stores a zip the page uploaded; its key is the `name` of an "upload" DataSpec."""

    def draft_classes(self, draft: str) -> dict[str, tuple[str, ...]]:
        """The class cards collected so far: class name → image keys. `draft` is the browser's id."""

    def draft_put(self, draft: str, label: str, images: Sequence[Path]) -> tuple[str, ...]:
        """Makes the class hold exactly these images (files the server stored, or earlier ones); their keys."""

    def draft_rename(self, draft: str, old: str, new: str) -> None: ...
    def draft_drop(self, draft: str, label: str) -> None: ...
    def draft_image(self, draft: str, key: str) -> Path:
        """A copy of the picture that may be shown."""

    # training --------------------------------------------------------------------------------------------------
    def cost(self, run: RunSpec, classes: int = 10) -> Cost:
        """Trainable parameters, file size and steps, computed without weights."""

    def start(self, run: RunSpec, owner: str = "") -> str:
        """Starts a run in the background and gives its id; `Busy` if one is going on."""

    def stop(self, run: str, owner: str = "") -> None:
        """Asks the run to end within one step, keeping the best so far."""

    def runs(self) -> Sequence[RunCard]:
        """All runs, latest first."""

    def follow(self, run: str, cursor: int = 0) -> tuple[Sequence[Event], int]:
        """Events of the run's journal from `cursor` on, and the next cursor."""

    # adapters --------------------------------------------------------------------------------------------------
    def zoo(self, backbone: str = "") -> Sequence[ZooEntry]:
        """All adapters, own first, then shipped; broken or unusable ones with their `refusal`."""

    def adapter(self, id: str) -> AdapterCard: ...
    def adapter_file(self, id: str) -> Path:
        """Where the file is; for download the page copies it."""

    def import_adapter(self, file: Path, given: Foreign | None = None) -> str:
        """Checks an adapter file and takes it into the zoo; its new id. `BadAdapter` says why not.

        Also a LoRA of huggingface/peft (its folder) and a 1-bit file of its paper's release (`.bin`); what these do not
        say is `given`.
        """

    def rename(self, id: str, name: str) -> str: ...
    def rename_class(self, id: str, old: str, new: str) -> None: ...
    def delete(self, id: str) -> None:
        """Moves the adapter to the trash folder; `NotAllowed` for shipped ones."""

    def merge(self, id: str, out: Path) -> None:
        """Writes plain timm weights with the adapter folded in; `CannotMerge` says why not."""

    def samples(self, id: str) -> Sequence[tuple[str, bytes]]:
        """(class, picture) of the bundled set the adapter was trained on, none of which it has seen; else nothing."""

    def export(self, id: str, to: str, out: Path) -> Sequence[str]:
        """Writes the adapter as "peft" (a new folder) or "onnx" (a file); what there is to know about it, in sentences.

        `CannotExport` says what that format has no place for.
        """

    # the Hugging Face Hub --------------------------------------------------------------------------------------
    # A `token` is used for this one call: it is not kept, not logged, and in no error. Empty means the one stored on
    # this machine, or none where the machine is shared. `NotAllowed` when offline.
    def parcel(self, push: PushSpec) -> Parcel:
        """What `push` would make public. Sends nothing, asks nobody."""

    def push(self, push: PushSpec, token: str = "", report: Report | None = None, agreed: str = "") -> str:
        """Puts what `parcel` shows into the repository, made if need be; its address. `HubTrouble` says why not.

        `agreed` is the digest of the parcel a person has seen: `NotAllowed` if the files are no longer those.
        """

    def on_hub(self, repo: str, revision: str = "", token: str = "") -> Sequence[ZooEntry]:
        """The adapters in a model repository, by their headers; what cannot be taken has its `refusal`."""

    def pull(
        self, repo: str, names: Sequence[str] = (), revision: str = "", token: str = "", report: Report | None = None
    ) -> Sequence[str]:
        """Takes adapters of a repository (none named: all that can be) into the zoo, all or none; their new ids."""

    # answers ---------------------------------------------------------------------------------------------------
    def classify(self, image: Path | bytes, adapters: Sequence[str], top: int = 5) -> Sequence[Prediction]:
        """One prediction per adapter, each on its own backbone and head."""

    def predict(self, images: Sequence[Path | bytes], adapters: Sequence[str], top: int = 5) -> Sequence[Prediction]:
        """One prediction per image, each by its own adapter; adapters that mix answer in one forward pass.

        An adapter that cannot be loaded answers with its `refusal`.
        """

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        """The answer attached and merged; `CannotMerge` says why not."""

    def evaluate(self, id: str, data: DataSpec, report: Report | None = None) -> Score:
        """Accuracy on the dataset's test images (all images where it has no split), seen ones left out."""
