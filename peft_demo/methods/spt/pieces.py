"""What SPT can train on a backbone, and for how many parameters."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from math import ceil, floor, prod

from ...contracts.errors import BadValue
from ...vit import Anatomy, Site
from ...vit.anatomy import timm_name
from .. import check_rank, lora
from ..lora import LORA
from .delta import Config, Module

TARGETS = ("v", "proj", "fc2", "fc1", "k", "q")
"""The linears, in the order in which modules are bought without a survey."""

FINAL = ("norm.", "fc_norm.")
"""How the names of a final norm's tensors begin."""


@dataclass(frozen=True)
class Piece:
    """A tensor, or the rows of qkv that are q, k or v, whose sensitivity is surveyed."""

    name: str
    """ "blocks.3.v.weight", "blocks.3.v.bias" for a linear's; timm's own name for others."""
    tensor: str
    """timm's name of the tensor it lies in."""
    shape: tuple[int, ...]
    rows: slice
    """Its rows of that tensor."""
    site: Site | None = None
    """The linear it belongs to."""

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return prod(self.shape)

    @property
    def matrix(self) -> bool:
        """Whether it is the weight of a linear."""
        return len(self.shape) > 1


@dataclass(frozen=True)
class Terms:
    """What can be had on a backbone, and for how many parameters."""

    module: Module
    anatomy: Anatomy
    config: Config

    @cached_property
    def pieces(self) -> list[Piece]:
        """Weights and biases of the linears, then the other vectors of the blocks and last norm."""
        linears = [piece for site in self.anatomy.at(*TARGETS) for piece in _of_site(site)]
        taken = {piece.tensor for piece in linears}
        blocks = tuple(f"{site.name}." for site in self.anatomy.at("block"))
        others = []
        for name, shape in self.anatomy.tensors.items():
            ours = name.startswith(blocks + FINAL) and name not in taken
            if ours and len(shape) == 1:
                others.append(Piece(name, name, shape, slice(None)))
        return linears + others

    @property
    def token(self) -> int:
        """Size of the class token, which always trains."""
        return prod(self.anatomy.tensors.get("cls_token", (0,)))

    @property
    def budget(self) -> int:
        """Trainable parameters wanted, see `budget`."""
        return budget(self.anatomy, self.config)

    @property
    def reachable(self) -> tuple[int, int]:
        """The least and the most that can be trained.

        The least is the class token and one entry; the most is the class token, a module at each
        matrix and every vector whole.
        """
        modules = sum(self.cost(site) for site in self.anatomy.at(*TARGETS))
        vectors = sum(piece.size for piece in self.pieces if not piece.matrix)
        return self.token + 1, self.token + modules + vectors

    def cost(self, site: Site) -> int:
        """Parameters of a module at this linear."""
        return self.module.cost(site, self.config.rank)

    def check(self) -> None:
        """Raises `BadValue` for a rank or a budget that this backbone cannot have."""
        anatomy = self.anatomy
        width = min(min(site.d_in, site.d_out) for site in anatomy.at(*TARGETS))
        check_rank(self.config.rank, width, anatomy.arch)
        low, high = self.reachable
        if not low <= self.budget <= high:
            least = ceil(1e5 * low / anatomy.parameters) / 1e3
            most = floor(1e5 * high / anatomy.parameters) / 1e3
            wanted = "LoRA" if self.config.as_lora else f"a budget of {self.config.budget:g} %"
            raise BadValue(
                f"{wanted} is {self.budget} parameters;"
                f" on {anatomy.arch} SPT reaches {low} to {high} with rank {self.config.rank}.",
                f"Set budget from {least:g} to {most:g}.",
            )


def budget(anatomy: Anatomy, config: Config) -> int:
    """Trainable parameters wanted, without the head."""
    if config.as_lora:
        return LORA.count(anatomy, lora.Config(rank=config.rank))
    return round(config.budget / 100 * anatomy.parameters)


def _of_site(site: Site) -> Iterator[Piece]:
    weight = timm_name(f"{site.whole_path}.weight")
    yield Piece(f"{site.name}.weight", weight, (site.d_out, site.d_in), site.rows, site)
    if site.bias:
        bias = timm_name(f"{site.whole_path}.bias")
        yield Piece(f"{site.name}.bias", bias, (site.d_out,), site.rows, site)
