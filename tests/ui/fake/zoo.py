"""Adapters without weights: the zoo, the Hub, and what adapters answer."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.answer import Answer, NamedPicture
from peft_demo.contracts.cards import (
    BackboneCard,
    Prediction,
    Sample,
    SharedRepo,
    SideBySide,
    Taken,
    UploadPreview,
    ZooEntry,
)
from peft_demo.contracts.changes import Changes
from peft_demo.contracts.data_map import PCA, TEST, DataMap, MappedPicture, Place
from peft_demo.contracts.errors import BadAdapter, BadImage, NotAllowed, UnknownName
from peft_demo.contracts.explanation import Explanation
from peft_demo.contracts.paired import Paired
from peft_demo.contracts.progress import Report
from peft_demo.contracts.score import ClassScore, Score, ScoredPicture
from peft_demo.contracts.specs import DataSpec, ImportHints, PushSpec
from peft_demo.contracts.strength import STEPS, AtStrength
from peft_demo.contracts.together import ANSWERS, Combined, Together
from peft_demo.contracts.verification import Verification

from .changes import changes
from .examples import EVIL, SHA, card, picture

TINY = BackboneCard(
    "tiny", "PEFT Demo Tiny", "bundled", 96, 2_900_000, 5.8, "Apache-2.0", True, SHA
)
SMALL = BackboneCard(
    "vit_s", "ViT-Small, ImageNet-21k", "download", 224, 21_600_000, 88.0, ready=False
)
PROBABILITIES = (0.7, 0.2, 0.05, 0.03, 0.02)


class FakeZoo:
    """Two adapters that can answer and a file that is broken."""

    def __init__(self, home: Path):
        self.home = home
        self.cards = {"lora-digits-0": card(), "evil": card("evil", (EVIL, "plain"))}
        self.deleted: dict[str, AdapterCard] = {}
        """What lies in the trash."""

    def backbones(self) -> Sequence[BackboneCard]:
        return TINY, SMALL

    def entries(self, backbone: str = "") -> Sequence[ZooEntry]:
        good = [ZooEntry(id, 151_000, False, card) for id, card in self.cards.items()]
        return [*good, ZooEntry("broken", 12, False, None, "the file is truncated.")]

    def entry(self, id: str) -> ZooEntry:
        for entry in self.entries():
            if entry.id == id:
                return entry
        raise UnknownName("adapter", id, self.cards)

    def card(self, id: str) -> AdapterCard:
        if id not in self.cards:
            raise UnknownName("adapter", id, self.cards)
        return self.cards[id]

    def file(self, id: str) -> Path:
        file = self.home / f"{id}.safetensors"
        file.write_bytes(b"fake")
        return file

    def take(self, file: Path, hints: ImportHints | None = None) -> str:
        if Path(file).stat().st_size < 100:
            raise BadAdapter(
                "this file is truncated: its header promises more than it holds.", "Copy it again."
            )
        self.cards["imported"] = card("imported")
        return "imported"

    def rename(self, id: str, name: str) -> str:
        self.cards[name] = replace(self.cards.pop(id), name=name)
        return name

    def rename_class(self, id: str, old: str, new: str) -> None:
        before = self.cards[id]
        classes = tuple(new if label == old else label for label in before.classes)
        self.cards[id] = replace(before, classes=classes)

    def take_upload(
        self, files: Sequence[Path], hints: ImportHints | None = None
    ) -> Sequence[Taken]:
        return [self._taken(Path(file)) for file in files]

    def _taken(self, file: Path) -> Taken:
        if file.stat().st_size < 100:
            return Taken(file.name, refusal="this file is truncated. Copy it again.")
        id = file.stem
        while id in self.cards:
            id += "-2"
        self.cards[id] = card(id)
        return Taken(file.stem, id)

    def delete(self, id: str) -> str:
        if id == "shipped":
            raise NotAllowed("shipped is not in your own zoo and stays as it is.")
        self.deleted[id] = self.cards.pop(id)
        return id

    def trash(self) -> Sequence[ZooEntry]:
        return [ZooEntry(id, 151_000, False, card) for id, card in self.deleted.items()]

    def restore(self, name: str) -> str:
        id = f"{name}-2" if name in self.cards else name
        self.cards[id] = self.deleted.pop(name)
        return id

    def empty_trash(self) -> int:
        count = len(self.deleted)
        self.deleted.clear()
        return count

    def changes(self, id: str) -> Changes:
        self.card(id)
        return changes()

    def merge(self, id: str, out: Path) -> None:
        Path(out).write_bytes(b"merged")

    def blend(self, ids: Sequence[str], out: Path, shares: Sequence[float] = ()) -> None:
        Path(out).write_bytes(b"blended")

    def export(self, id: str, to: str, out: Path, rank: int = 0) -> Sequence[str]:
        return ()

    def verify(self, id: str) -> Verification:
        self.card(id)
        return Verification("a fake", 1e-6, 0.1, same_answers=True, agrees=True)

    def samples(self, id: str) -> Sequence[Sample]:
        return tuple(Sample(label, picture(label)) for label in self.card(id).classes)

    def thumbnails(self, id: str) -> Sequence[bytes]:
        return [picture(label) for label in self.card(id).classes[:4]]


class FakeHub:
    """A Hub of one repository; `pushed` are the (spec, token, digest) of what was sent."""

    def __init__(self, zoo: FakeZoo, offline: bool):
        self.zoo = zoo
        self.offline = offline
        self.pushed: list[tuple[PushSpec, str, str]] = []

    def preview(self, push: PushSpec) -> UploadPreview:
        first = push.adapters[0]
        classes = ", ".join(self.zoo.card(first).classes)
        return UploadPreview(
            push.repo,
            files=((f"{first}.safetensors", 151_000), ("README.md", 900)),
            card="# card",
            disclosures=(f"The names of the classes: {classes}.",),
            digest="5eed",
        )

    def push(
        self, push: PushSpec, token: str = "", report: Report | None = None, agreed: str = ""
    ) -> str:
        if self.offline:
            raise NotAllowed("the Hugging Face Hub needs the network, which is switched off here.")
        self.pushed.append((push, token, agreed))
        return f"https://hub.example/{push.repo}"

    def search(self, words: str = "", token: str = "") -> Sequence[SharedRepo]:
        """Words with an x are found nowhere."""
        if "x" in words:
            return []
        here = SharedRepo("you/shades", ("lora",), (self.zoo.backbones()[0].name,), 12, 3)
        return [here, SharedRepo("you/else", ("arc",), (), 1, 0)]

    def adapters(
        self, repo: str, revision: str = "", token: str = "", report: Report | None = None
    ) -> Sequence[ZooEntry]:
        if report:
            report(f"asking the Hub for {repo}", 0.0)
        good = ZooEntry("theirs", 151_000, False, card("theirs"))
        return [good, ZooEntry("bad", 12, False, None, "ill-formed.")]

    def pull(
        self,
        repo: str,
        names: Sequence[str] = (),
        revision: str = "",
        token: str = "",
        report: Report | None = None,
    ) -> Sequence[str]:
        self.zoo.cards |= {name: card(name) for name in names}
        return list(names)


class FakeAnswers:
    """Every adapter answers with its first class, 70 % sure."""

    def __init__(self, zoo: FakeZoo):
        self.zoo = zoo

    def classify(
        self, image: Path | bytes, ids: Sequence[str], top: int = 5, strength: float = 1.0
    ) -> Sequence[Prediction]:
        return [self._answer(adapter, top) for adapter in ids]

    def predict(
        self, images: Sequence[Path | bytes], ids: Sequence[str], top: int = 5
    ) -> Sequence[Prediction]:
        return [self._answer(adapter, top) for adapter in ids]

    def each(
        self, pictures: Sequence[NamedPicture], id: str, top: int = 5, thumbnails: bool = False
    ) -> Iterator[Answer]:
        for named in pictures:
            small = picture(named.name) if thumbnails else b""
            try:
                named.read()
            except BadImage as error:
                yield Answer(named.name, Prediction(id, (), 0.0, refusal=str(error)))
            else:
                yield Answer(named.name, self._answer(id, top), small)

    def side_by_side(self, image: Path | bytes, id: str, top: int = 5) -> SideBySide:
        answer = self._answer(id, top)
        return SideBySide(answer, answer, 1.2, 1.0, 1e-7)

    def strengths(self, id: str, report: Report | None = None) -> Sequence[AtStrength]:
        return [AtStrength(strength, 0.5 + 0.2 * strength, 20) for strength in STEPS]

    def together(
        self,
        ids: Sequence[str],
        data: DataSpec | None = None,
        shares: Sequence[float] = (),
        report: Report | None = None,
    ) -> Together:
        """Of 20 images each gets 15 right, all together one more."""
        gain = Paired(both=15, only_first=1, only_second=0, neither=4)
        alone = tuple((id, 0.75) for id in ids)
        return Together(20, 3, alone, (Combined(ANSWERS, 0.8, gain),), "it is <b>not</b> linear.")

    def explain(self, image: Path | bytes, id: str, report: Report | None = None) -> Explanation:
        answer = self._answer(id, 1)
        drops = ((0.1, 2.0), (0.0, -0.1))
        return Explanation(id, answer.label, answer.probability, 0.1, drops, picture(id))

    def evaluate(
        self,
        id: str,
        data: DataSpec | None = None,
        report: Report | None = None,
        pictures: bool = False,
    ) -> Score:
        """Two classes of four images, of which one was taken for the other."""
        first, second = self.zoo.card(id).classes[:2]
        classes = (
            ClassScore(first, 2, 1.0, 0.5, 2 / 3),
            ClassScore(second, 2, 2 / 3, 1.0, 0.8),
        )
        shown = tuple(
            ScoredPicture(label, answer, 0.87, picture(f"{label}{answer}"))
            for label, answer in ((0, 1), (0, 0), (1, 1), (1, 1))
        )
        confusion = ((1, 1), (0, 2))
        return Score(0.75, 4, 60, classes, confusion, 0.733, shown if pictures else ())

    def map(
        self,
        id: str,
        data: DataSpec | None = None,
        part: str = TEST,
        drawing: str = PCA,
        report: Report | None = None,
    ) -> DataMap:
        """Six pictures of two classes, far apart afterwards; one is taken for the other."""
        names = self.zoo.card(id).classes[:2]
        pictures = tuple(
            MappedPicture(
                label=n % 2,
                answer=1 if n == 0 else n % 2,
                before=Place(n / 5, 0.5),
                after=Place(float(n % 2), n / 5),
                near_before=n < 3,
                near_after=n > 0,
                picture=picture(str(n)),
            )
            for n in range(6)
        )
        kept = (0.5, 0.75) if drawing == PCA else (None, None)
        return DataMap(names, pictures, 9, drawing, part, *kept)

    def _answer(self, adapter: str, top: int) -> Prediction:
        classes = self.zoo.card(adapter).classes[:top]
        return Prediction(adapter, tuple(zip(classes, PROBABILITIES, strict=False)), 3.1, 0.02)
