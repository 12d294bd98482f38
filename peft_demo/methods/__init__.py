"""Methods of parameter-efficient fine-tuning. One paper, one file; a new file here is all that a new method takes.

How to add a method
-------------------
Write `peft_demo/methods/yours.py` with three things and a record that names them:

    @dataclass(frozen=True)
    class Config:                                     # the knobs; the form, the flags and the card come from them
        rank: int = knob(8, "Rank", low=1, high=64)

    class YourDelta(Delta):                           # what stands at one site; see peft_demo/vit/seam.py
        matrices = ("down", "up")                     # parameters that take weight decay
        def __init__(self, site, rank): ...           # parameters, initialised with torch.nn.init
        def forward(self, f, x): ...                  # what is computed where f(x) was

    def build(anatomy, config) -> Parts:              # where the deltas stand; see peft_demo/vit/anatomy.py
        return Parts({site.name: YourDelta(site, config.rank) for site in anatomy.at("q", "v")})

    YOURS = Method(name="yours", ..., Config=Config, build=build, count=count)

Every module-level `Method` is found by itself. Form, command line, method table and the laws in `tests/test_laws.py`
follow; add `tests/methods/test_yours.py` with the paper's dense formula written out in float64.

Parameters shared between sites are one `nn.Parameter` given to several deltas (see `arc`): files keep it once. A method
that trains tensors of the backbone itself names them in `Parts.replaces` (see `bitfit`). A method that asks the
training images where to stand has a `Survey` (see `spt`). A delta may give its `low_rank` form, with which it is also
exported to huggingface/peft, or its `merged` weights, for speed; a law holds both to its `forward`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Protocol

from torch import Tensor, nn

from ..contracts.cards import MethodCard
from ..contracts.errors import BadValue, UnknownName
from ..contracts.knobs import build as build_config
from ..contracts.knobs import knobs
from ..vit import Anatomy, Backbone, Delta


@dataclass(frozen=True)
class Parts:
    """What an adapter is made of: deltas by site name, and timm names of backbone tensors it trains a copy of.

    `head` makes a head from (features, classes); without one it is a linear map that starts at zero. `extra` is JSON
    that the adapter's card keeps, for `build` to make the same again (see `Survey`).
    """

    deltas: Mapping[str, Delta] = field(default_factory=dict)
    replaces: tuple[str, ...] = ()
    head: Callable[[int, int], nn.Linear] | None = None
    extra: Mapping[str, Any] = field(default_factory=dict)


class Survey(Protocol):
    """A look at the training images before anything is built, for methods that ask them where to stand (`spt`).

    Training makes one, hands it at most `batches` batches of `batch` images, and gives what it allocates to `build` as
    a third argument; a file's card gives `Parts.extra` there.
    """

    batches: int
    batch: int

    def add(self, images: Tensor, labels: Tensor) -> None:
        """A batch of normalised training images [B 3 S S] and their labels [B], never any others."""

    def allocation(self) -> Any:
        """What was decided; at least one batch has been seen."""


SCALES = {"scale": (0.1, 1.0, 10.0)}
"""What a method whose paper searches s gives as its `search`."""


def always(config) -> bool:
    """For `Method.merges` and `Method.identity`: whatever the knobs."""
    return True


def never(config) -> bool:
    """For `Method.merges` and `Method.identity`: whatever the knobs."""
    return False


@dataclass(frozen=True)
class Method:
    """The record of a method: what a person reads, and the functions that build and count it."""

    name: str
    title: str
    summary: str
    """One plain sentence."""
    formula: str
    """As the paper writes it, in Unicode; f(x) is the frozen map."""
    paper: str
    """Authors, title, venue, year."""
    url: str
    sites: tuple[str, ...]
    """Roles of the sites it takes by default, for its picture."""
    Config: type
    build: Callable[..., Parts]
    """(anatomy, config), and an allocation for a method that surveys."""
    count: Callable[[Anatomy, Any], int]
    """Trainable parameters without the head, in closed form."""
    lr: float
    """Default learning rate, chosen on validation images."""
    merges: Callable[[Any], bool] = always
    """Whether it folds into plain weights with these knobs."""
    identity: Callable[[Any], bool] = always
    """Whether a new adapter leaves the features as they were."""
    survey: Callable[[Backbone, Any, int, int], Survey] | None = None
    """Makes the survey of a (backbone, config, classes, seed); `count` is then the budget, exact within 5 %."""
    variants: tuple[str, ...] = ()
    """Other forms that have a line of their own in comparisons, each one knob as `--set` takes it: "scale=true"."""
    search: Mapping[str, tuple] = field(default_factory=dict, hash=False)
    """Knobs that `bench tune` tries together with the learning rate, and the values it tries; like `lr`, the default of
    such a knob is what it found, not what the paper prints."""

    def parts(self, anatomy: Anatomy, config, allocation: Any = None) -> Parts:
        """What `build` makes; of an allocation, if there is one and the method surveys."""
        return (
            self.build(anatomy, config, allocation)
            if self.survey and allocation
            else self.build(anatomy, config)
        )

    def config(self, values: Mapping[str, Any] | None = None):
        """The frozen config with `values` set; `BadValue` or `UnknownName` says what does not fit."""
        return build_config(self.Config, values)

    def card(self) -> MethodCard:
        default = self.Config()
        return MethodCard(
            name=self.name,
            title=self.title,
            summary=self.summary,
            formula=self.formula,
            paper=self.paper,
            url=self.url,
            sites=self.sites,
            merges=self.merges(default),
            identity=self.identity(default),
            knobs=knobs(self.Config),
            lr=self.lr,
            budget=self.survey is not None,
        )


_registered: dict[str, Method] = {}


@lru_cache
def methods() -> Mapping[str, Method]:
    """All methods by name: those of the files here in alphabetical order, then registered ones."""
    files = [import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)]
    records = [
        value for file in files for value in vars(file).values() if isinstance(value, Method)
    ]
    return {method.name: method for method in records} | _registered


def register(method: Method) -> None:
    """Adds a method that lives in a file of one's own, for this process. `BadValue` if its name is taken."""
    if method.name in methods():
        raise BadValue(f"there is a method {method.name!r} already.", "Choose another name.")
    _registered[method.name] = method
    methods.cache_clear()


def find_method(name: str) -> Method:
    """The method of this name; `UnknownName` offers the nearest one."""
    if name not in methods():
        raise UnknownName("method", name, methods())
    return methods()[name]
