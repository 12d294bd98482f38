"""What to run, as frozen values that are JSON both ways.

A `RunSpec` is all that a training run depends on: the same spec on the same machine gives the same bits. Its
`command()` is the command line that repeats it, always generated from the checked spec, never read from a file.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from .errors import BadValue
from .knobs import build, knob, knobs

AUGMENTATIONS = ("none", "crop", "crop+flip")
"""What may be done to training images; `data.tensors.augment` does it."""


@dataclass(frozen=True)
class DataSpec:
    """Which images, how many of them, and the seed that chooses.

    `source` is one of `peft_demo.data.sources`, which also say what they take `name` for: `bundled` by name · `folder`
    or `zip` by a path on this machine (command line, or the page with --allow-local-paths) · `draft` class cards
    collected on the page, by id · `upload` a zip the page sent, by its key in the store · `hub` a Hugging Face dataset
    id.
    """

    source: str = "bundled"
    name: str = "digits"
    shots: int = 16
    seed: int = 0
    image_column: str = ""
    label_column: str = ""

    def __post_init__(self):
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,31}", self.source):
            raise BadValue(f"a data source is one lower-case word, got {self.source!r:.60}.")
        if not isinstance(self.shots, int) or not 1 <= self.shots <= 10_000:
            raise BadValue(f"shots takes a whole number from 1 to 10000, got {self.shots!r}.")
        if not isinstance(self.seed, int) or not 0 <= self.seed < 2**31:
            raise BadValue(f"seed takes a whole number from 0 to {2**31 - 1}, got {self.seed!r}.")

    def public(self) -> "DataSpec":
        """This spec with nothing in it that is private: the one rule for what may leave the machine.

        Of a path the last part stays. The browser's id, under which the page keeps a person's photos, becomes
        "photos"; the key of an uploaded zip becomes the zip's name. Names that everybody may know stay whole:
        those of bundled sets, of Hub sets, and all that begin with their source and a colon.
        """
        if self.source in ("bundled", "hub") or self.name.startswith(f"{self.source}:"):
            return self
        if self.source == "draft":
            return replace(self, name="photos")
        last_part = self.name.replace("\\", "/").rstrip("/").rpartition("/")[2]
        if self.source == "upload":
            return replace(self, name=_zip_name(last_part))
        return replace(self, name=last_part)

    def argument(self) -> str:
        """The word that names this dataset on the command line; nothing private is in it."""
        name = self.public().name
        return f"hf:{name}" if self.source == "hub" else name


def _zip_name(key: str) -> str:
    """What a person called the zip that is kept under this key, "holiday-0123456789ab.zip"."""
    name = re.fullmatch(r"(.+?)(-[0-9a-f]{12})?\.zip", key)
    return f"{name[1]}.zip" if name else "photos.zip"


@dataclass(frozen=True)
class Recipe:
    """How to train; `lr = 0` takes the method's own learning rate."""

    epochs: int = knob(20, "Epochs", low=1, high=1000, info="passes over the training images")
    lr: float = knob(0.0, "Learning rate", low=0.0, high=10.0, info="0 takes the method's own")
    batch: int = knob(32, "Batch size", low=1, high=1024, advanced=True)
    weight_decay: float = knob(
        1e-4, "Weight decay", low=0.0, high=1.0, info="on matrices only", advanced=True
    )
    warmup: float = knob(
        0.1, "Warm-up", low=0.0, high=0.9, info="share of the steps", advanced=True
    )
    clip: float = knob(
        1.0, "Gradient clipping", low=0.0, high=100.0, info="norm; 0 switches it off", advanced=True
    )
    smoothing: float = knob(0.0, "Label smoothing", low=0.0, high=0.5, advanced=True)
    augment: str = knob(
        "none",
        "Augmentation",
        choices=AUGMENTATIONS,
        info="random crops; mirror images",
        advanced=True,
    )


@dataclass(frozen=True)
class RunSpec:
    """Method + knobs + data + backbone + recipe. `seed` is the data's: one seed chooses images, weights and order."""

    method: str = "lora"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    data: DataSpec = DataSpec()
    backbone: str = ""
    """Catalogue name; empty means the bundled one."""
    size: int = 0
    """Image side in pixels; 0 means the backbone's own."""
    recipe: Recipe = Recipe()
    name: str = ""
    """What the adapter will be called; empty means method-dataset-seed."""
    thumbnail: bool = False
    """Whether the adapter file carries a small picture of one training image."""

    def __post_init__(self):
        object.__setattr__(self, "knobs", {k: _plain(v) for k, v in self.knobs.items()})

    @property
    def seed(self) -> int:
        return self.data.seed

    def public(self) -> "RunSpec":
        """This spec with nothing in it that is private: what adapter files, results and strangers may see.

        Its data is `DataSpec.public()`; nothing else of a spec names a place or a person.
        """
        return replace(self, data=self.data.public())

    def to_json(self) -> dict:
        """A dict of JSON values; `from_json` gives the spec back."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return plain | {
            "knobs": dict(self.knobs),
            "data": asdict(self.data),
            "recipe": asdict(self.recipe),
        }

    @staticmethod
    def from_json(plain: Mapping) -> "RunSpec":
        """The spec again, every field checked; `BadValue` if something does not fit."""
        try:
            rest = {k: v for k, v in plain.items() if k not in ("data", "recipe")}
            return RunSpec(
                data=DataSpec(**plain["data"]), recipe=build(Recipe, plain["recipe"]), **rest
            )
        except (KeyError, TypeError, AttributeError):
            raise BadValue("this run specification is ill-formed.") from None

    def command(self) -> str:
        """The command line that repeats this run."""
        return shlex.join(["python", "-m", "peft_demo", "train", *self._flags()])

    def _flags(self) -> list[str]:
        flags = [
            "--method",
            self.method,
            "--data",
            self.data.argument(),
            "--shots",
            str(self.data.shots),
        ]
        flags += ["--seed", str(self.seed)]
        flags += [
            f
            for n, v in (("--backbone", self.backbone), ("--size", self.size))
            if v
            for f in (n, str(v))
        ]
        for name in ("image_column", "label_column"):
            if value := getattr(self.data, name):
                flags += [f"--{name.replace('_', '-')}", value]
        for k in knobs(Recipe):
            if (value := getattr(self.recipe, k.name)) != k.default:
                flags += [f"--{k.name.replace('_', '-')}", str(value)]
        for name, value in sorted(self.knobs.items()):
            flags += ["--set", f"{name}={','.join(value) if isinstance(value, tuple) else value}"]
        return flags


@dataclass(frozen=True)
class ImportHints:
    """What a person says of an adapter from elsewhere, where its file does not."""

    method: str = ""
    knobs: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    """In the order of the head's rows."""
    backbone: str = ""
    size: int = 0
    name: str = ""
    fingerprint: str = ""
    """SHA-256 of the backbone it was made on; "" where nobody knows."""


@dataclass(frozen=True)
class PushSpec:
    """Which adapters go to which model repository of the Hugging Face Hub, and how."""

    adapters: tuple[str, ...]
    repo: str
    """OWNER/NAME"""
    private: bool = False
    licence: str = ""
    """As the Hub writes it ("apache-2.0", "cc-by-4.0"); empty takes the backbone's."""
    thumbnail: bool = False
    """Whether the small training image that some files carry goes along."""

    def __post_init__(self):
        object.__setattr__(self, "adapters", tuple(self.adapters))
        object.__setattr__(self, "repo", repo_id(self.repo))
        if not self.adapters:
            raise BadValue("there is no adapter to push.", "Name one, or train one first.")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,39}|", self.licence):
            raise BadValue(
                f"{self.licence[:60]!r} is not a licence as the Hub writes it.",
                "For instance apache-2.0.",
            )


def repo_id(word: str) -> str:
    """`word` as OWNER/NAME; the address of a model page on the Hub is understood too. `BadValue` otherwise."""
    id = re.sub(r"^https?://(www\.)?(huggingface\.co|hf\.co)/", "", word.strip()).rstrip("/")
    if not re.fullmatch(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", id, re.ASCII) or re.search(
        r"\.\.|--|\.git$|[.-]$", id
    ):
        raise BadValue(f"a model repository is named OWNER/NAME, got {word[:100]!r}.")
    return id


def _plain(value):
    return tuple(value) if isinstance(value, list) else value
