"""Everything a page or a command line may ask, in six parts: data, training, comparisons, zoo,
hub, answers.

A face asks for the part it needs. What takes long reports its progress. All errors are
`PeftDemoError`s.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from .adapter_card import AdapterCard
from .answer import Answer, NamedPicture
from .cards import (
    BackboneCard,
    Cost,
    DataReport,
    DatasetCard,
    MethodCard,
    Prediction,
    RunCard,
    Sample,
    SharedRepo,
    SideBySide,
    Status,
    Taken,
    UploadPreview,
    ZooEntry,
)
from .changes import Changes
from .comparison import (
    ComparisonCard,
    ComparisonCost,
    ComparisonSpec,
    ComparisonTable,
    LearningCurve,
)
from .data_map import PCA, TEST, DataMap
from .events import Event
from .explanation import Explanation
from .progress import Report
from .score import Score
from .specs import DataSpec, ImportHints, PushSpec, RunSpec
from .strength import AtStrength
from .together import Together
from .verification import Verification


class Drafts(Protocol):
    """The class cards that a person fills with photos on the page.

    A `draft` is the browser's id.
    """

    def classes(self, draft: str) -> Mapping[str, tuple[str, ...]]:
        """Class name → image keys, both in the order they were given."""
        ...

    def put(self, draft: str, label: str, images: Sequence[Path]) -> tuple[str, ...]:
        """Makes the class hold exactly these images; their keys.

        They are files that the server has stored, or earlier ones of the class.
        """
        ...

    def rename(self, draft: str, old: str, new: str) -> None:
        """Gives a class a new name; its images stay."""
        ...

    def drop(self, draft: str, label: str) -> None:
        """Forgets a class and its images."""
        ...

    def image(self, draft: str, key: str) -> Path:
        """A copy of the picture that may be shown."""
        ...


class Data(Protocol):
    """Datasets: what there is, and what one of them gives."""

    @property
    def drafts(self) -> Drafts:
        """The class cards of the page."""
        ...

    def datasets(self) -> Sequence[DatasetCard]:
        """The bundled ones."""
        ...

    def check(self, data: DataSpec, report: Report | None = None) -> DataReport:
        """What the dataset gives: counts, previews, rejects. Never trains, may download."""
        ...

    def sent(self, files: Sequence[Path]) -> Sequence[NamedPicture]:
        """The pictures in files that the server has stored, archives looked through."""
        ...

    def browser_copy(self, file: Path) -> bytes:
        """The picture as a PNG or JPEG, for one that not every browser shows (TIFF, HEIC); empty
        where they all do. `BadImage` says why it cannot be read.
        """
        ...

    def keep_upload(self, file: Path) -> str:
        """Stores a zip the page uploaded; its key is the `name` of an "upload" DataSpec."""
        ...


class Training(Protocol):
    """Methods, what they cost, and the runs: one at a time, each with its journal, others wait."""

    def methods(self) -> Sequence[MethodCard]:
        """All methods, in alphabetical order."""
        ...

    def cost(self, run: RunSpec, classes: int = 10, images: int = 0) -> Cost:
        """Trainable parameters, file size and steps, computed without weights.

        `images` are those to train on, 0 if nobody has counted them: then as many as the shots
        allow.
        """
        ...

    def status(self) -> Status:
        """What the machine is doing."""
        ...

    def start(self, run: RunSpec, owner: str = "") -> str:
        """Starts a run in the background, or when those before it have ended; its id.

        `Busy` if one is going on and nothing may wait here (`Status.queues`).
        """
        ...

    def resume(self, run: str = "", owner: str = "") -> str:
        """An interrupted run goes on in the background, the latest one where none is named; its id.

        Waits as in `start`. `CannotResume` says why it cannot, `Busy` that it is going on already.
        """
        ...

    def stop(self, run: str, owner: str = "") -> None:
        """Asks the run to end within one step, keeping what it has; one that waits leaves the
        line.
        """
        ...

    def move(self, run: str, places: int, owner: str = "") -> None:
        """Moves a run that waits so many places towards the end of the line, or with a negative
        number towards its head.
        """
        ...

    def rename_run(self, run: str, title: str) -> None:
        """Gives the run a title in a person's own words, "" for none; its id stays."""
        ...

    def delete_run(self, run: str) -> str:
        """Moves the run to the trash folder, its journal and held-out pictures with it; its adapter
        stays. What `restore_run` takes. `NotAllowed` while it goes on or waits.
        """
        ...

    def restore_run(self, deleted: str) -> str:
        """Takes a deleted run back; its id."""
        ...

    def samples(self, run: str) -> Sequence[Sample]:
        """The run's held-out pictures and what it said of them, wrong answers first."""
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


class Comparisons(Protocol):
    """Grids of runs, methods × datasets × shots × seeds: one at a time, others wait. They go on
    beside a run of `Training`, in processes of their own."""

    @property
    def starts(self) -> bool:
        """Whether one can be started here; else those that are done can be looked at."""
        ...

    def cost(self, spec: ComparisonSpec) -> ComparisonCost:
        """What it would take. `UnknownName` or `BadValue` say what is wrong with a word."""
        ...

    def start(self, spec: ComparisonSpec, owner: str = "") -> str:
        """Starts a comparison in the background, or when those before it have ended; its id."""
        ...

    def go_on(self, id: str, owner: str = "") -> None:
        """Does what is left of a comparison that was stopped, or whose runs failed; no run is done
        twice. `CannotResume` if nothing is left, `Busy` if it goes on already."""
        ...

    def stop(self, id: str, owner: str = "") -> None:
        """Ends it at once: the run in progress is lost, those that have ended are kept. One that
        waits leaves the line."""
        ...

    def comparisons(self) -> Sequence[ComparisonCard]:
        """All of them, latest first."""
        ...

    def table(self, id: str, shots: int = 0) -> ComparisonTable:
        """What it measured so far with so many shots, 0 for the first number that it has."""
        ...

    def curves(self, id: str, method: str, data: str, shots: int) -> Sequence[LearningCurve]:
        """How the runs of one cell learned, by their seeds."""
        ...

    def runs(self, id: str) -> Sequence[Mapping[str, Any]]:
        """A line for each run that has ended, as `compare` writes them: figures or an "error",
        nothing private."""
        ...


class Zoo(Protocol):
    """Adapters, and the frozen backbones they stand on. An `id` is a key, never a path."""

    def backbones(self) -> Sequence[BackboneCard]:
        """The bundled one, registered ones, and those that can be downloaded."""
        ...

    def entries(self, backbone: str = "") -> Sequence[ZooEntry]:
        """All adapters, own first, then shipped; broken or unusable ones with their `refusal`."""
        ...

    def entry(self, id: str) -> ZooEntry:
        """One of them; `UnknownName` if there is none of that id."""
        ...

    def card(self, id: str) -> AdapterCard:
        """The card inside the file; `BadAdapter` if the file is broken."""
        ...

    def file(self, id: str) -> Path:
        """Where the file is; for download the page copies it."""
        ...

    def take(self, file: Path, hints: ImportHints | None = None) -> str:
        """Checks an adapter file and takes it into the zoo; its new id. `BadAdapter` says why not.

        The id is made from the file's name, or from that in the `hints`. It may also be a LoRA of
        huggingface/peft (its folder) or a 1-bit file of a paper's release (`.bin`); `hints` say
        what these do not.
        """
        ...

    def take_upload(
        self, files: Sequence[Path], hints: ImportHints | None = None
    ) -> Sequence[Taken]:
        """As `take`, of everything in files that were sent together; one refusal stops no other.

        They may be adapter files, the files of one LoRA of huggingface/peft, and zips of these.
        """
        ...

    def rename(self, id: str, name: str) -> str:
        """Gives the adapter a new name; its new id."""
        ...

    def rename_class(self, id: str, old: str, new: str) -> None:
        """Gives a class a new name; the tensors stay as they are."""
        ...

    def delete(self, id: str) -> str:
        """Moves the adapter to the trash; its name there. `NotAllowed` for shipped ones."""
        ...

    def trash(self) -> Sequence[ZooEntry]:
        """What lies in the trash. Their `id` is the name there."""
        ...

    def restore(self, name: str) -> str:
        """Moves an adapter back from the trash; its id, which differs where the old one is taken
        meanwhile."""
        ...

    def empty_trash(self) -> int:
        """Deletes every adapter in the trash for good; how many there were."""
        ...

    def changes(self, id: str) -> Changes:
        """What the adapter changed in its backbone, from its file and the backbone alone."""
        ...

    def merge(self, id: str, out: Path) -> None:
        """Writes plain timm weights with the adapter folded in; `CannotMerge` says why not."""
        ...

    def blend(self, ids: Sequence[str], out: Path, shares: Sequence[float] = ()) -> None:
        """Writes plain timm weights with the mean of what several adapters change folded in.

        `shares` weigh them, all alike without. `CannotMerge` says why not, `BadValue` which class
        they do not share.
        """
        ...

    def export(self, id: str, to: str, out: Path, rank: int = 0) -> Sequence[str]:
        """Writes the adapter in the format `to` (`studio.exports` has them), a file or a new
        folder; with a `rank` the nearest LoRA of that rank, where the adapter is none.

        Gives sentences about what there is to know of it. `CannotExport` says what that format has
        no place for.
        """
        ...

    def verify(self, id: str) -> Verification:
        """Whether the adapter answers the probe pictures as it did when it was made, and what may
        be wrong if it does not. `BadAdapter` says why it cannot be told.
        """
        ...

    def samples(self, id: str) -> Sequence[Sample]:
        """Pictures that the adapter has not learned from: of its run here those that were held out,
        wrong answers first, else of the bundled set it was trained on.

        Nothing where there is neither.
        """
        ...

    def thumbnails(self, id: str) -> Sequence[bytes]:
        """Up to `THUMBNAILS` of the `samples`, small, as JPEG; made once and kept in memory."""
        ...


class Hub(Protocol):
    """Adapters on the Hugging Face Hub. `NotAllowed` when offline.

    A `token` is used for one call: it is not kept, not logged, and in no error. Empty means the one
    stored on this machine, or none where the machine is shared.
    """

    def preview(self, push: PushSpec) -> UploadPreview:
        """What `push` would make public. Sends nothing, asks nobody."""
        ...

    def push(
        self, push: PushSpec, token: str = "", report: Report | None = None, agreed: str = ""
    ) -> str:
        """Puts what `preview` shows into the repository, made if need be; its address.

        `agreed` is the digest of the preview that a person has seen. Raises `NotAllowed` if the
        files are no longer those, and `HubTrouble` for what the Hub refuses.
        """
        ...

    def search(self, words: str = "", token: str = "") -> Sequence[SharedRepo]:
        """Model repositories with adapters of ours, those for backbones of this machine first.

        Every one of the `words` stands in the name of a repository; without words it is all of
        them, as many as are told at once.
        """
        ...

    def adapters(
        self, repo: str, revision: str = "", token: str = "", report: Report | None = None
    ) -> Sequence[ZooEntry]:
        """The adapters in a model repository, by their headers.

        What cannot be taken has its `refusal`.
        """
        ...

    def pull(
        self,
        repo: str,
        names: Sequence[str] = (),
        revision: str = "",
        token: str = "",
        report: Report | None = None,
    ) -> Sequence[str]:
        """Takes adapters of a repository into the zoo, all of them or none; their new ids.

        Where none are named: all that can be taken.
        """
        ...


class Answers(Protocol):
    """What adapters say of images."""

    def classify(
        self, image: Path | bytes, ids: Sequence[str], top: int = 5, strength: float = 1.0
    ) -> Sequence[Prediction]:
        """One prediction per adapter, each on its own backbone and head, with `strength` times what
        it adds."""
        ...

    def predict(
        self, images: Sequence[Path | bytes], ids: Sequence[str], top: int = 5
    ) -> Sequence[Prediction]:
        """One prediction per image, each by its own adapter.

        Adapters that mix answer in one forward pass. One that cannot be loaded answers with its
        `refusal`.
        """
        ...

    def each(
        self, pictures: Sequence[NamedPicture], id: str, top: int = 5, thumbnails: bool = False
    ) -> Iterator[Answer]:
        """What an adapter says of many pictures, in their order, as soon as it is known.

        One that cannot be read answers with its `refusal`.
        """
        ...

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        """The answer attached and merged; `CannotMerge` says why not."""
        ...

    def strengths(self, id: str, report: Report | None = None) -> Sequence[AtStrength]:
        """How often it is right when what it adds is scaled, on the validation images of its run.

        `BadData` if there are none, or they cannot be had again.
        """
        ...

    def explain(self, image: Path | bytes, id: str, report: Report | None = None) -> Explanation:
        """What in the image the answer of an adapter rests on."""
        ...

    def together(
        self,
        ids: Sequence[str],
        data: DataSpec | None = None,
        shares: Sequence[float] = (),
        report: Report | None = None,
    ) -> Together:
        """How often several adapters of the same classes are right together: their answers
        averaged, and their weights. Without `data` on the data of the first one's run, less what
        any of them has learned from.
        """
        ...

    def evaluate(
        self,
        id: str,
        data: DataSpec | None = None,
        report: Report | None = None,
        pictures: bool = False,
    ) -> Score:
        """How often it is right on the dataset's test images, or on all where it has no split, and
        where it errs. Without `data` on the test images of its own run.

        Images that the adapter was trained on are left out. With `pictures` some of them come with
        the score.
        """
        ...

    def map(
        self,
        id: str,
        data: DataSpec | None = None,
        part: str = TEST,
        drawing: str = PCA,
        report: Report | None = None,
    ) -> DataMap:
        """Where pictures lie on a plane before and after adaptation: those that `evaluate` takes,
        or training images (`part`). `BadData` if there are too few.
        """
        ...


class Service(Protocol):
    """The six parts together, for whoever composes a page.

    The parts may be kept. What hangs on one of them (`data.drafts`) is asked for anew each time, as
    it may be another for each visitor.
    """

    @property
    def offline(self) -> bool:
        """Whether nothing is looked up on the network."""
        ...

    @property
    def allow_local_paths(self) -> bool:
        """Whether datasets and adapters may be named by a path of this machine."""
        ...

    @property
    def data(self) -> Data: ...

    @property
    def training(self) -> Training: ...

    @property
    def comparisons(self) -> Comparisons: ...

    @property
    def zoo(self) -> Zoo: ...

    @property
    def hub(self) -> Hub: ...

    @property
    def answers(self) -> Answers: ...

    def close(self) -> None:
        """Stops a run in progress, keeping its best, and a comparison, keeping its runs."""
        ...
