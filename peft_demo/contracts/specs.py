"""What to run, as frozen values that are JSON both ways.

A `RunSpec` is all that a training run depends on: the same spec on the same machine gives the same
bits. Its `command()` is the command line that repeats it. It is always generated from the checked
spec, never read from a file.
"""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from math import ceil
from typing import Any

from .data_spec import DataSpec as DataSpec
from .errors import BadValue
from .knobs import build, knob, knobs
from .old_recipes import SINCE, with_rates
from .origin import Origin as Origin
from .text import quoted

TRIALS = range(2, 101)
"""How many settings a search may try."""
AUGMENTATIONS = ("none", "crop", "crop+flip", "flip", "window", "window+flip")
"""What may be done to training images; `data.tensors.augment` does it."""
PRECISIONS = ("auto", "fp32", "bf16")
"""In what matrices may be multiplied; `inference.precision` measures which is faster."""
MEMORIES = ("normal", "low")
"""How much a training step may keep for its way back; see `training.recompute`."""
GRAPHS = ("off", "on")
"""Whether a GPU plays recorded steps; see `training.step`."""
BALANCES = ("none", "sampling", "weights")
"""How classes of different size may be evened out; `training.balance` does it."""
KEPT = ("auto", "best", "last")
"""Which state of a run is kept; see `training.kept`."""
NORMALISATIONS = ("backbone", "imagenet", "half", "none")
"""How images are normalised; `training.normalisation` does it."""
DECAYED = ("matrices", "weights", "all")
"""What weight decay applies to; `Adapter.groups` says which parameters that are."""
DROPPED = ("branches", "entries")
"""What stochastic depth leaves out; `training.drop_path` does it."""
HEAD_STARTS = ("zero", "normal", "uniform")
"""How a plain head starts; `adapters.create` does it."""
OPTIMIZERS = ("adamw", "sgd")
"""Which optimiser learns; `training.optimizer` makes it."""

RATES = ("lr", "head_lr")
"""The fields of `Recipe` that are learning rates."""


@dataclass(frozen=True)
class Recipe:
    """How to train. A learning rate of 0 is the method's own; `Method.recipe` fills it in."""

    epochs: int = knob(20, "Epochs", low=1, high=1000, info="passes over the training images")
    lr: float = knob(0.0, "Learning rate", low=0.0, high=50.0, info="0 takes the method's own")
    head_lr: float = knob(
        0.0,
        "Head's learning rate",
        low=0.0,
        high=50.0,
        info="the head starts at zero; 0 takes the method's own",
        advanced=True,
    )
    batch: int = knob(16, "Batch size", low=1, high=1024, advanced=True)
    weight_decay: float = knob(
        1e-4, "Weight decay", low=0.0, high=1.0, info="on matrices only", advanced=True
    )
    warmup: float = knob(
        0.1, "Warm-up", low=0.0, high=0.9, info="share of the steps", advanced=True
    )
    clip: float = knob(
        1.0, "Gradient clipping", low=0.0, high=100.0, info="norm; 0 switches it off", advanced=True
    )
    smoothing: float = knob(0.1, "Label smoothing", low=0.0, high=0.5, advanced=True)
    augment: str = knob(
        "crop",
        "Augmentation",
        choices=AUGMENTATIONS,
        info="random crops of half to all; windows of 7/8 of the side; mirror images",
        advanced=True,
    )
    balance: str = knob(
        "none",
        "Class balance",
        choices=BALANCES,
        info="helps where classes have unequally many training images: "
        "each is drawn equally often, or mistakes on the smaller ones weigh more",
        advanced=True,
    )
    patience: int = knob(
        0,
        "Patience",
        low=0,
        high=100,
        info="validations without improvement before the run ends; 0 waits for all epochs",
        advanced=True,
    )
    precision: str = knob(
        "auto",
        "Precision",
        choices=PRECISIONS,
        info="of the products while it learns; auto measures which is faster here",
        advanced=True,
    )
    memory: str = knob(
        "normal",
        "Memory",
        choices=MEMORIES,
        info="low computes each block twice and keeps little of it: slower, for large backbones",
        advanced=True,
    )
    graph: str = knob(
        "off",
        "CUDA graph",
        choices=GRAPHS,
        info="on records a step once and plays it again: for small batches on a GPU; not measured",
        rare=True,
    )
    keep: str = knob(
        "auto",
        "State kept",
        choices=KEPT,
        info="the best on validation images, or the last; auto takes the last "
        "unless an earlier one was better by more than chance",
        rare=True,
    )
    optimizer: str = knob(
        "adamw", "Optimiser", choices=OPTIMIZERS, info="SGD has momentum 0.9", rare=True
    )
    min_lr: float = knob(
        0.0,
        "Lowest rate",
        low=0.0,
        high=1.0,
        info="where warm-up begins and cosine ends",
        rare=True,
    )
    decayed: str = knob(
        "matrices",
        "Weight decay on",
        choices=DECAYED,
        info="matrices; all but biases and norms; all",
        rare=True,
    )
    stochastic_depth: float = knob(
        0.0,
        "Stochastic depth",
        low=0.0,
        high=0.9,
        info="drop path: chance in the last block, from 0 in the first; 0 leaves the backbone's",
        rare=True,
    )
    dropped: str = knob(
        "branches",
        "Dropped",
        choices=DROPPED,
        info="by stochastic depth: whole branches, or entries of what they add",
        rare=True,
    )
    normalisation: str = knob(
        "backbone",
        "Normalisation",
        choices=NORMALISATIONS,
        info="the backbone's own; ImageNet's; mean and deviation 0.5; none",
        rare=True,
    )
    head_start: str = knob(
        "zero",
        "Head's start",
        choices=HEAD_STARTS,
        info="zero; truncated normal, σ = 0.02; uniform, as torch's own",
        rare=True,
    )

    def steps_per_epoch(self, images: int) -> int:
        """Steps in which so many training images are seen once."""
        return ceil(images / self.batch)

    def steps(self, images: int) -> int:
        """Steps of a whole run on so many training images."""
        return self.epochs * self.steps_per_epoch(images)


def recipe_json(recipe: Recipe) -> dict[str, Any]:
    """The recipe as a spec's JSON has it: those of `SINCE` only where they are not as then."""
    unset = [name for name, then in SINCE.items() if getattr(recipe, name) == then]
    return {name: value for name, value in asdict(recipe).items() if name not in unset}


@dataclass(frozen=True)
class RunSpec:
    """Method, knobs, data, backbone and recipe.

    `seed` is the data's: one seed chooses the images, the starting weights and their order.
    """

    method: str = "lora"
    knobs: Mapping[str, Any] = field(default_factory=dict)
    data: DataSpec = field(default_factory=DataSpec)
    backbone: str = ""
    """Catalogue name; empty means the bundled one."""
    size: int = 0
    """Image side in pixels; 0 means the backbone's own."""
    recipe: Recipe = Recipe()
    name: str = ""
    """What the adapter will be called; empty means method-dataset-seed."""
    thumbnail: bool = False
    """Whether the adapter file carries a small picture of one training image."""
    tune: int = 0
    """How many settings are tried on validation images before, the best of which is kept."""
    origin: Origin | None = None
    """The adapter that the run goes on from: method, knobs, backbone and size are that one's."""

    def __post_init__(self):
        frozen = {name: _frozen(value) for name, value in self.knobs.items()}
        object.__setattr__(self, "knobs", frozen)
        if type(self.tune) is not int or self.tune not in (0, *TRIALS):
            few, many = TRIALS[0], TRIALS[-1]
            raise BadValue(
                f"tune takes a whole number from {few} to {many}, or 0, got {quoted(self.tune)}."
            )

    @property
    def seed(self) -> int:
        return self.data.seed

    def public(self) -> "RunSpec":
        """This spec with nothing private in it: what adapter files, results and strangers may see.

        Its data is `DataSpec.public()`, its origin `Origin.public()`; nothing else of a spec names
        a place or a person.
        """
        origin = self.origin.public() if self.origin else None
        return replace(self, data=self.data.public(), origin=origin)

    def to_json(self) -> dict:
        """A dict of JSON values, equal to what a file of them gives back: lists, no tuples.

        `from_json` gives the spec back. There is a "from", a "tune" and, in the recipe, what
        `SINCE` names only where they are not as then: a run without them is the one that it was
        before they existed.
        """
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        if not self.tune:
            del values["tune"]
        del values["origin"]
        if self.origin:
            values["from"] = self.origin.to_json()
        values["knobs"] = dict(self.knobs)
        values["data"] = self.data.to_json()
        values["recipe"] = recipe_json(self.recipe)
        return json.loads(json.dumps(values))

    @staticmethod
    def from_json(plain: Mapping) -> "RunSpec":
        """The spec again, every field checked but the knobs, which only their method can check.

        Raises `BadValue` or `UnknownName` if something does not fit, whatever JSON `plain` is.
        """
        try:
            values = dict(plain)
            data = DataSpec(**values.pop("data"))
            recipe = build(Recipe, SINCE | with_rates(values["method"], values.pop("recipe")))
            origin = Origin.from_json(values.pop("from", None))
            spec = RunSpec(data=data, recipe=recipe, origin=origin, **values)
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
            raise BadValue("this run specification is ill-formed.") from None
        if not _well_typed(spec):
            raise BadValue("this run specification is ill-formed.")
        return spec

    def command(self) -> str:
        """The command line that repeats this run."""
        return shlex.join(["python", "-m", "peft_demo", "train", *self._flags()])

    def _flags(self) -> list[str]:
        flags = self.origin.flags() if self.origin else ["--method", self.method]
        flags += ["--data", self.data.argument()]
        flags += ["--shots", str(self.data.shots), "--seed", str(self.seed)]
        if not self.origin:
            flags += self._backbone_flags()
        for flag, value in self.data.reading().items():
            flags += [flag, value]
        for setting in knobs(Recipe):
            value = getattr(self.recipe, setting.name)
            if value != setting.default:
                flags += [_flag(setting.name), str(value)]
        if self.tune:
            flags += ["--tune", str(self.tune)]
        if not self.origin:
            flags += self._knob_flags()
        return flags

    def _backbone_flags(self) -> list[str]:
        flags = []
        if self.backbone:
            flags += ["--backbone", self.backbone]
        if self.size:
            flags += ["--size", str(self.size)]
        return flags

    def _knob_flags(self) -> list[str]:
        flags = []
        for name, value in sorted(self.knobs.items()):
            text = ",".join(map(str, value)) if isinstance(value, tuple) else value
            flags += ["--set", f"{name}={text}"]
        return flags


@dataclass(frozen=True)
class ImportHints:
    """What a person says about an adapter from elsewhere, where its file does not say it."""

    method: str = ""
    knobs: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] = ()
    """In the order of the head's rows."""
    backbone: str = ""
    size: int = 0
    name: str = ""
    fingerprint: str = ""
    """SHA-256 of the backbone it was made on, "" where nobody knows."""


@dataclass(frozen=True)
class PushSpec:
    """Which adapters go to which repository of the Hugging Face Hub, and how."""

    adapters: tuple[str, ...]
    repo: str
    """OWNER/NAME"""
    private: bool = False
    licence: str = ""
    """As the Hub writes it ("apache-2.0", "cc-by-4.0"); empty takes the backbone's."""
    thumbnail: bool = False
    """Whether pictures go along: the small training image that some files carry, or what a Space
    shows as samples."""
    space: bool = False
    """Whether it becomes a Space, a page that answers with the one adapter, and no model."""

    def __post_init__(self):
        object.__setattr__(self, "adapters", tuple(self.adapters))
        object.__setattr__(self, "repo", repo_id(self.repo))
        if not self.adapters:
            raise BadValue("there is no adapter to push.", "Name one, or train one first.")
        if self.space and len(self.adapters) > 1:
            raise BadValue("a Space is the page of one adapter.", "Name one.")
        if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,39}|", self.licence):
            raise BadValue(
                f"{quoted(self.licence)} is not a licence as the Hub writes it.",
                "For instance apache-2.0.",
            )


def repo_id(word: str) -> str:
    """`word` as OWNER/NAME; it may also be the address of a page on the Hub.

    Raises `BadValue` for anything else.
    """
    hub = r"^https?://(www\.)?(huggingface\.co|hf\.co)/(spaces/)?"
    id = re.sub(hub, "", word.strip()).rstrip("/")
    well_formed = re.fullmatch(r"\w[\w.-]{0,95}/\w[\w.-]{0,95}", id, re.ASCII)
    refused_by_the_hub = re.search(r"\.\.|--|\.git$|[.-]$", id)
    if not well_formed or refused_by_the_hub:
        raise BadValue(f"a repository is named OWNER/NAME, got {quoted(word)}.")
    return id


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _frozen(value: Any) -> Any:
    """Lists, which JSON gives back for tuples, become tuples."""
    return tuple(value) if isinstance(value, list) else value


def _well_typed(spec: RunSpec) -> bool:
    """Whether every field that is a plain value is of the type of its default."""
    for f in fields(spec):
        plain = isinstance(f.default, str | int)
        if plain and type(getattr(spec, f.name)) is not type(f.default):
            return False
    return True
