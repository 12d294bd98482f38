"""A `Service` that trains nothing and replays a scripted run, so that the page is tested without torch."""

import io
import time
from dataclasses import replace
from pathlib import Path

from PIL import Image, ImageDraw

from peft_demo.contracts import events as ev
from peft_demo.contracts.adapter_card import AdapterCard
from peft_demo.contracts.cards import (
    BackboneCard,
    ClassCount,
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
from peft_demo.contracts.errors import BadAdapter, BadData, Busy, NotAllowed, UnknownName
from peft_demo.contracts.knobs import Knob
from peft_demo.contracts.run_state import RunState, state_of
from peft_demo.contracts.specs import DataSpec, RunSpec

SHA = "4f0c" * 16
DIGITS = tuple("0123456789")
EVIL = "<img src=x onerror=alert(1)> ![a](http://evil.example/x.png)"

RANK = Knob("rank", "Rank", "int", 8, 1, 256, info="width of the bottleneck")
TARGETS = Knob(
    "targets", "Targets", "choices", ("q", "v"), choices=("q", "k", "v", "proj", "fc1", "fc2")
)
SCALE = Knob("scale", "Scale", "float", 1.0, 0.0, 10.0, advanced=True)
NORM = Knob("normalise", "Normalise", "bool", False, advanced=True)
START = Knob(
    "start", "Start", "choice", "zero", choices=("zero", "paper", "literal"), advanced=True
)

METHODS = (
    MethodCard("linear", "Linear probe", "Only the head learns.", "f(x)", "", "", (), False, True, (), 1e-2),
    MethodCard("lora", "LoRA", "A low-rank update beside a frozen matrix.", "f(x) + s · (x Aᵀ) Bᵀ", "Hu et al. 2022",
               "https://arxiv.org/abs/2106.09685", ("q", "v"), True, True, (RANK, TARGETS, SCALE, START), 3e-3),
    MethodCard("arc", "ARC", "One projection shared by all layers.", "f(x + (x (P·c)) Pᵀ + β)", "Dong et al. 2023",
               "https://arxiv.org/abs/2310.00000", ("qkv", "fc1"), True, False, (RANK, NORM), 5e-3),
)  # fmt: skip


def picture(text: str, side: int = 64) -> bytes:
    """A PNG with a word on it."""
    image = Image.new("RGB", (side, side), (40 + hash(text) % 120, 90, 120))
    ImageDraw.Draw(image).text((side // 3, side // 3), text[:4], fill="white")
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def script(steps: int = 100, adapter: str = "lora-digits-0") -> list[ev.Event]:
    """A whole run as its journal would tell it."""
    said: list[ev.Event] = [
        ev.Progressed("Loading the backbone"),
        ev.Noticed("info", "Shots were capped at 16."),
    ]
    said += [ev.Started(steps, 5, 36864, 1930, 0.013, DIGITS, 160, 160, 360, "cpu", SHA)]
    for n in range(1, steps + 1):
        said.append(
            ev.Stepped(n, 2.3 * 0.96**n + 0.1 * (n % 3), 1e-3, 210.0, (steps - n) * 0.1, 410.0)
        )
        if n % 10 == 0:
            accuracy = 1 - 0.9 * 0.95**n
            said += [
                ev.Evaluated(n, 2.4 * 0.97**n, accuracy, 160, True),
                ev.Saved(n, adapter, 151_000),
            ]
    return [*said, finished(steps)]


def finished(step: int, kind=ev.Finished) -> ev.Event:
    tested = None if kind is ev.Stopped else 0.942
    return kind(step, step, 0.951, tested, 0 if tested is None else 360, 12.5, 210.0, 410.0, 36864, 1930, 151_000, SHA,
                True)  # fmt: skip


def card(name: str = "lora-digits-0", classes=DIGITS, **more) -> AdapterCard:
    spec = RunSpec(method="lora", knobs={"rank": 4}).to_json()
    given = {
        "name": name,
        "method": "lora",
        "knobs": {"rank": 4},
        "classes": classes,
        "backbone": "tiny",
    }
    given |= {
        "arch": "vit",
        "fingerprint": SHA,
        "size": 96,
        "mean": (0.5,) * 3,
        "std": (0.5,) * 3,
        "spec": spec,
    }
    given |= {
        "interpolation": "bicubic",
        "trainable": 36864,
        "head": 1930,
        "val_accuracy": 0.951,
        "val_images": 160,
    }
    given |= {
        "test_accuracy": 0.942,
        "test_images": 360,
        "created": "2026-11-20T10:00:00+00:00",
        "seconds": 12.5,
    }
    given |= {"curve": tuple((n, 2.3 * 0.96**n) for n in range(1, 101, 5))}
    given |= {"accuracy_curve": tuple((n, 1 - 0.9 * 0.95**n) for n in range(10, 101, 10))}
    return AdapterCard(**given | more)


class FakeDrafts:
    """Class cards: draft → class name → keys of its pictures."""

    def __init__(self, home: Path):
        self.home = home
        self.cards: dict[str, dict[str, tuple[str, ...]]] = {}

    def classes(self, draft):
        return self.cards.get(draft, {})

    def put(self, draft, label, images):
        keys = tuple(self._keep(Path(i)) for i in images)
        self.cards.setdefault(draft, {})[label] = keys
        return keys

    def rename(self, draft, old, new):
        self.cards[draft] = {
            new if k == old else k: v for k, v in self.cards.get(draft, {}).items()
        }

    def drop(self, draft, label):
        self.cards.get(draft, {}).pop(label, None)

    def image(self, draft, key):
        return self.home / key

    def _keep(self, image: Path) -> str:
        (self.home / image.name).write_bytes(image.read_bytes())
        return image.name


class FakeData:
    def __init__(self, home: Path):
        self.drafts = FakeDrafts(home)

    def datasets(self):
        digits = DatasetCard(
            "digits", "Handwritten digits", "8×8 scans, scikit-learn.", DIGITS, 1797, "CC BY 4.0"
        )
        return digits, DatasetCard(
            "shapes", "Shapes by count", "Drawn.", ("one", "two", EVIL), 600, "Apache-2.0"
        )

    def check(self, data: DataSpec, report=None):
        if data.source == "hub":
            raise BadData("this fake has no network.", "Choose a bundled set.")
        if data.source == "draft":
            names = {k: len(v) for k, v in self.drafts.classes(data.name).items()}
        else:
            names = {n: 100 for d in self.datasets() if d.name == data.name for n in d.classes}
        counts = tuple(
            ClassCount(n, c, data.shots, 16, 20, (picture(n), picture(n + "b")))
            for n, c in names.items()
        )
        problem = "" if len(counts) > 1 else "Two classes at least are needed."
        return DataReport(
            data.name, counts, (("a/b.txt", "not a picture"),), ("Two near-duplicates.",), problem
        )

    def keep_upload(self, file):
        return "upload-1"


class FakeTraining:
    """`pace` is the seconds a run takes; 0 means it is over at once."""

    def __init__(self, pace: float):
        self.pace = pace
        self.began: dict[str, tuple[float, RunSpec]] = {}
        self.cut: dict[str, int] = {}

    def methods(self):
        return [replace(m) for m in METHODS]  # as the real one, whose cards are made when asked for

    def cost(self, run, classes=10):
        rank = run.knobs.get("rank", 8)
        return Cost(
            rank * 4608,
            193 * classes,
            rank * 0.0016,
            rank * 18_500,
            classes * run.data.shots // 32 * 20,
        )

    def status(self):
        if not self.began:
            return Status(RunState.IDLE)
        run = list(self.began)[-1]
        said, _ = self.follow(run)
        step = max((e.step for e in said if isinstance(e, ev.Stepped)), default=0)
        return Status(self._state(run), run, step, 100, (100 - step) * 0.1, "cpu", 410.0)

    def start(self, run, owner=""):
        if self.status().busy:
            raise Busy("another run is training.", "Stop it or wait until it is done.")
        id = f"run-{len(self.began)}"
        self.began[id] = (time.monotonic(), run)
        return id

    def stop(self, run, owner=""):
        self.cut.setdefault(run, len(self.follow(run)[0]))

    def runs(self):
        made = [RunCard(r, self._state(r), s, "2026-11-20T10:00:00+00:00", "lora-digits-0", 0.951, 0.942)
                for r, (_, s) in self.began.items()]  # fmt: skip
        return made[::-1]

    def run(self, id):
        return next(run for run in self.runs() if run.id == id)

    def follow(self, run, cursor=0):
        if run not in self.began:
            raise UnknownName("run", run, self.began)
        said = script()
        age = time.monotonic() - self.began[run][0]
        told = len(said) if not self.pace else min(len(said), int(len(said) * age / self.pace))
        if run in self.cut:
            told = self.cut[run] + 1
            said = [*said[: self.cut[run]], finished(50, ev.Stopped)]
        return said[cursor:told], told

    def _state(self, run):
        return state_of(self.follow(run)[0])


class FakeZoo:
    def __init__(self, home: Path):
        self.home = home
        self.cards = {"lora-digits-0": card(), "evil": card("evil", (EVIL, "plain"))}

    def backbones(self):
        big = BackboneCard(
            "vit_s", "ViT-Small, ImageNet-21k", "download", 224, 21_600_000, 88.0, ready=False
        )
        return BackboneCard(
            "tiny", "PEFT Demo Tiny", "bundled", 96, 2_900_000, 5.8, "Apache-2.0", True, SHA
        ), big

    def entries(self, backbone=""):
        good = [ZooEntry(i, 151_000, False, c) for i, c in self.cards.items()]
        return [*good, ZooEntry("broken", 12, False, None, "the file is truncated.")]

    def entry(self, id):
        return next(entry for entry in self.entries() if entry.id == id)

    def card(self, id):
        if id not in self.cards:
            raise UnknownName("adapter", id, self.cards)
        return self.cards[id]

    def file(self, id):
        file = self.home / f"{id}.safetensors"
        file.write_bytes(b"fake")
        return file

    def take(self, file, hints=None):
        if Path(file).stat().st_size < 100:
            raise BadAdapter(
                "this file is truncated: its header promises more than it holds.", "Copy it again."
            )
        self.cards["imported"] = card("imported")
        return "imported"

    def rename(self, id, name):
        self.cards[name] = replace(self.cards.pop(id), name=name)
        return name

    def rename_class(self, id, old, new):
        kept = self.cards[id]
        self.cards[id] = replace(kept, classes=tuple(new if c == old else c for c in kept.classes))

    def delete(self, id):
        self.cards.pop(id)

    def merge(self, id, out):
        Path(out).write_bytes(b"merged")

    def samples(self, id):
        return tuple((name, picture(name)) for name in self.card(id).classes)


class FakeHub:
    def __init__(self, zoo: FakeZoo, offline: bool):
        self.zoo = zoo
        self.offline = offline
        self.pushed: list[tuple] = []

    def preview(self, push):
        told = (f"The names of the classes: {', '.join(self.zoo.card(push.adapters[0]).classes)}.",)
        return UploadPreview(
            push.repo,
            ((f"{push.adapters[0]}.safetensors", 151_000), ("README.md", 900)),
            "# card",
            told,
            "5eed",
        )

    def push(self, push, token="", report=None, agreed=""):
        if self.offline:
            raise NotAllowed("the Hugging Face Hub needs the network, which is switched off here.")
        self.pushed.append((push, token, agreed))
        return f"https://hub.example/{push.repo}"

    def adapters(self, repo, revision="", token=""):
        return [
            ZooEntry("theirs", 151_000, False, card("theirs")),
            ZooEntry("bad", 12, False, None, "ill-formed."),
        ]

    def pull(self, repo, names=(), revision="", token="", report=None):
        self.zoo.cards |= {name: card(name) for name in names}
        return list(names)


class FakeAnswers:
    def __init__(self, zoo: FakeZoo):
        self.zoo = zoo

    def classify(self, image, adapters, top=5):
        chances = (0.7, 0.2, 0.05, 0.03, 0.02)
        return [Prediction(a, tuple(zip(self.zoo.card(a).classes[:top], chances, strict=False)), 3.1, 0.02)
                for a in adapters]  # fmt: skip

    def predict(self, images, adapters, top=5):
        return self.classify(images[0], adapters, top)

    def side_by_side(self, image, id, top=5):
        (said,) = self.classify(image, [id], top)
        return SideBySide(said, said, 1.2, 1.0, 1e-7)

    def evaluate(self, id, data, report=None):
        return Score(0.9, 100, 60)


class Fake:
    """A `Service`. `pace` is the seconds a run takes; 0 means it is over at once."""

    def __init__(
        self, home: Path, pace: float = 0.0, offline: bool = True, allow_local_paths: bool = False
    ):
        home = Path(home)
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.offline = offline
        self.allow_local_paths = allow_local_paths
        self.data = FakeData(home)
        self.training = FakeTraining(pace)
        self.zoo = FakeZoo(home)
        self.hub = FakeHub(self.zoo, offline)
        self.answers = FakeAnswers(self.zoo)

    def close(self):
        pass
