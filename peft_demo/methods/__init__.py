"""Methods of parameter-efficient fine-tuning. One paper, one file; a new file here adds a method.

How to add a method
-------------------
Write `peft_demo/methods/yours.py` with three things, and a record that names them:

    @dataclass(frozen=True)
    class Config:                                  # the knobs: form, flags and card come from them
        rank: int = knob(8, "Rank", low=1, high=64)

    class YourDelta(Delta):                        # what stands at one site; see vit/seam.py
        matrices = ("down", "up")                  # the parameters that take weight decay
        def __init__(self, site, rank): ...        # parameters, initialised with torch.nn.init
        def forward(self, f, x): ...               # what is computed where f(x) was

    def build(anatomy, config) -> Parts:           # where the deltas stand; see vit/anatomy.py
        sites = anatomy.at("q", "v")
        return Parts({site.name: YourDelta(site, config.rank) for site in sites})

    YOURS = Method(name="yours", ..., Config=Config, build=build, count=count)

Every module-level `Method` is found by itself. The form, the command line, the table of methods and
the laws in `tests/test_laws.py` follow. Add `tests/methods/test_yours.py` with the paper's dense
formula written out in float64.

What a method may do besides
----------------------------
- Share a parameter between sites: give one `nn.Parameter` to several deltas. A file keeps it once.
  See `arc`.
- Train tensors of the backbone itself: name them in `Parts.replaces`. See `bitfit`.
- Start from the frozen weights: `Delta.begin`. See `dora`.
- Use random constants that no file needs to keep: `vit.seam.seeded_uniform`. See `vera`.
- Keep quantised weights in few bits: `Delta.codec`. See `bi`.
- Look at the training images to decide what to train: a `Survey`. See `spt`.
- Look at the gradients of each step, to decide what goes on training: an `Allocator`. See `snella`.
- Give a closed form: `Delta.low_rank`, with which it is also exported to huggingface/peft, or
  `Delta.merged`. A law holds both to `forward`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Protocol

from ..contracts.cards import MethodCard
from ..contracts.errors import BadValue, UnknownName
from ..contracts.knobs import build as build_config
from ..contracts.knobs import knob, knobs
from ..contracts.specs import Recipe
from ..lazy import load_module
from .index import indexed

if TYPE_CHECKING:
    from torch import Tensor, nn

    from ..vit import Anatomy, Backbone, Delta


@dataclass(frozen=True)
class Parts:
    """What an adapter is made of."""

    deltas: "Mapping[str, Delta]" = field(default_factory=dict)
    """By the name of their site."""
    replaces: tuple[str, ...] = ()
    """timm names of the backbone's tensors that a copy is trained of."""
    head: "Callable[[int, int], nn.Linear] | None" = None
    """Makes the head from (features, classes); None is a linear map that starts at zero."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """JSON that the adapter's card keeps, for `build` to make the same again (see `Survey`)."""
    allocator: "Allocator | None" = None
    """Decides about these deltas while they learn."""


class Survey(Protocol):
    """A look at the training images before anything is built, to decide what to train (`spt`).

    Training makes one and gives it at most `batches` batches of `batch` images. `build` gets the
    allocation as a third argument; for a file, it gets the `Parts.extra` of the card instead.
    """

    batches: int
    batch: int

    def add(self, images: "Tensor", labels: "Tensor") -> None:
        """A batch of normalised training images [B 3 S S] and their labels [B], never any
        others."""

    def allocation(self) -> Any:
        """What was decided, once at least one batch has been added."""


class Allocator(Protocol):
    """Decides while an adapter learns which of its numbers go on learning (`snella`).

    What it decides stands in integer buffers of the deltas, which a file keeps.
    """

    def begin_epoch(self, epoch: int, epochs: int) -> None:
        """Before the first step of an epoch, counted from 0."""

    def after_step(self) -> None:
        """After each step of the optimiser; the parameters still have their gradients."""

    def state(self) -> "Mapping[str, Tensor]":
        """All that it remembers, to be kept by a checkpoint and filled again from one."""
        ...


SCALES = {"scale": (0.1, 1.0, 10.0)}
"""Default search grid for methods whose scale s is tuned."""


def always(config: Any) -> bool:
    """For `Method.merges` and `Method.identity`: true whatever the knobs."""
    return True


def never(config: Any) -> bool:
    """For `Method.merges` and `Method.identity`: false whatever the knobs."""
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
    """The dataclass of its knobs."""
    build: Callable[..., Parts]
    """Called with (anatomy, config), and with an allocation if the method surveys."""
    count: "Callable[[Anatomy, Any], int]"
    """Trainable parameters without the head, in closed form."""
    lr: float
    """Default learning rate of all but the head, chosen on validation images."""
    head_lr: float = 1e-3
    """Default learning rate of the head, chosen on validation images; 0 is that of all else."""
    family: str = ""
    """One of `contracts.families`; "" is a method of one's own that belongs to none."""
    merges: Callable[[Any], bool] = always
    """Whether it folds into plain weights with these knobs."""
    identity: Callable[[Any], bool] = always
    """Whether a new adapter leaves the features as they were."""
    survey: "Callable[[Backbone, Any, int, int], Survey] | None" = None
    """Makes the survey of (backbone, config, classes, seed); `count` is then the budget, which an
    adapter meets within 5 %."""
    variants: tuple[str, ...] = ()
    """Other forms with a line of their own in comparisons: each one knob, as `--set` takes it."""
    search: Mapping[str, tuple] = field(default_factory=dict, hash=False)
    """Knobs that `bench tune` and `train --tune` try beside the learning rates, with the values to
    try. The default of such a knob is what `bench tune` found best, not what the paper prints."""

    def parts(self, anatomy: "Anatomy", config: Any, allocation: Any = None) -> Parts:
        """What `build` makes; with the allocation, if the method surveys and there is one."""
        if self.survey and allocation:
            return self.build(anatomy, config, allocation)
        return self.build(anatomy, config)

    def config(self, values: Mapping[str, Any] | None = None) -> Any:
        """The frozen config with `values` set; `BadValue` or `UnknownName` for what does not
        fit."""
        return build_config(self.Config, values)

    def recipe(self, recipe: Recipe) -> Recipe:
        """`recipe` with the method's own learning rates where it leaves them open."""
        lr = recipe.lr or self.lr
        head_lr = recipe.head_lr or self.head_lr or lr
        return replace(recipe, lr=lr, head_lr=head_lr)

    def card(self) -> MethodCard:
        """What faces show of the method, with its knobs at their defaults."""
        default = self.Config()
        return MethodCard(
            name=self.name,
            title=self.title,
            summary=self.summary,
            formula=self.formula,
            paper=self.paper,
            url=self.url,
            family=self.family,
            sites=self.sites,
            merges=self.merges(default),
            identity=self.identity(default),
            knobs=knobs(self.Config),
            lr=self.lr,
            head_lr=self.head_lr or self.lr,
            budget=self.survey is not None,
        )


def targets_knob(default: tuple[str, ...], choices: tuple[str, ...], info: str) -> Any:
    """The knob `targets`: at which sites of each block a method stands."""
    return knob(default, "Targets", choices=choices, info=info, advanced=True)


def check_rank(rank: int, width: int, where: str) -> None:
    """Raises `BadValue` for a rank larger than the width of the map `where` it would stand."""
    if rank > width:
        raise BadValue(
            f"rank {rank} is larger than the width {width} of {where}.", f"Take at most {width}."
        )


_registered: dict[str, Method] = {}


@lru_cache
def methods() -> dict[str, Method]:
    """All methods by name: those of the files here in alphabetical order, then registered ones."""
    result = {}
    for module in iter_modules(__path__):
        names = vars(load_module(f"{__name__}.{module.name}"))
        result |= {m.name: m for m in names.values() if isinstance(m, Method)}
    return result | _registered


def cards() -> dict[str, MethodCard]:
    """The cards of all `methods`, by name: those of the files here from the `index`, where it is
    of this code. Then nothing is imported, and torch neither.
    """
    known = indexed(tuple(__path__)) or [method.card() for method in methods().values()]
    registered = [method.card() for method in _registered.values()]
    return {card.name: card for card in [*known, *registered]}


def register(method: Method) -> None:
    """Adds a method that lives in a file of one's own, for this process.

    Raises `BadValue` if its name is taken.
    """
    if method.name in methods():
        raise BadValue(f"there is a method {method.name!r} already.", "Choose another name.")
    _registered[method.name] = method
    methods.cache_clear()


def find_card(name: str) -> MethodCard:
    """The card of the method of this name; `UnknownName` offers the nearest one."""
    if name not in cards():
        raise UnknownName("method", name, cards())
    return cards()[name]


def find_method(name: str) -> Method:
    """The method of this name; `UnknownName` offers the nearest one."""
    if name not in methods():
        raise UnknownName("method", name, methods())
    return methods()[name]
