"""The named parts of a backbone: where a delta can stand, and what its tensors are called.

timm's blocks never hand their residual branches to a module, so `expose` rebuilds each of them
from its own parts as two explicit branches, bit-equal to timm's. One file knows one family of
timm's classes: `isotropic` (plain Vision Transformers), `swin`, `dinov3`; their shared words are
in `sites`.

`inspect_anatomy` then names the sites and runs one image through probes to see which of them fire.
A site that the model never calls (timm's EVA reads `qkv.weight` past its module) is remembered with
the reason and refused at attach.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from types import ModuleType
from typing import cast

import torch
from timm.models.deit import VisionTransformerDistilled
from timm.models.eva import Eva
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from ..contracts.errors import BadBackbone, BadValue
from . import dinov3, isotropic, swin
from .seam import Delta, SplitLinear, put, put_seams, share_tensors
from .sites import QKV, Site, patch_embed

Tree = VisionTransformer | SwinTransformer | Eva
"""An exposed model: timm's class, its blocks rebuilt."""

FAMILIES: dict[type[nn.Module], ModuleType] = {
    VisionTransformer: isotropic,
    SwinTransformer: swin,
    Eva: dinov3,
    dinov3.DINOv3: dinov3,
}
"""Class of a model, timm's or exposed → the file that takes it apart."""

HINTS: dict[type[nn.Module], str] = {
    VisionTransformerDistilled: "It answers with two heads, and an adapter has one. "
    "Choose the model without distillation, `deit_base_patch16_224` for example."
}
"""What to do about a class that is refused, where it is not the usual."""

_PLAIN = isotropic.NAMES | dinov3.NAMES
_STAGED = swin.NAMES


@dataclass(frozen=True, eq=False)
class Anatomy:
    """What a method must know of a backbone to build itself; holds no weights. Equal to itself
    alone.
    """

    arch: str
    width: int
    """D; of the first stage where there are several."""
    depth: int
    """L, of all stages"""
    prefix: int
    """Tokens before the patch tokens: class token and registers."""
    grid: tuple[int, int]
    """Patch tokens, rows by columns."""
    patch: int
    """Side of a patch, pixels."""
    features: int
    """Width of the features the head reads."""
    sites: Mapping[str, Site]
    """Sites that fire, by name."""
    silent: Mapping[str, str] = field(default_factory=dict)
    """Sites that do not, with the reason."""
    tensors: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Shapes of all tensors, by timm's names."""
    head: str = "head"
    """Where the head stands in the exposed tree."""

    @property
    def size(self) -> int:
        """Image side, pixels."""
        return self.grid[0] * self.patch

    @property
    def parameters(self) -> int:
        """Numbers in all tensors, head left out."""
        return sum(torch.Size(shape).numel() for shape in self.tensors.values())

    @property
    def widths(self) -> tuple[int, ...]:
        """D of every stage; of a plain Vision Transformer, one."""
        blocks = (site for site in self.sites.values() if site.role == "block")
        return tuple({site.stage: site.d_in for site in blocks}.values())

    @property
    def staged(self) -> bool:
        """Whether its tokens are grids [B H W D] that change by the stage, as in a Swin."""
        return len(self.widths) > 1

    def check_plain(self, title: str, why: str) -> None:
        """`BadValue` for the method `title`, which needs tokens [B N D] of one width throughout."""
        if self.staged:
            widths = ", ".join(map(str, self.widths))
            raise BadValue(
                f"{title} does not fit {self.arch}: {why}, "
                f"and its tokens are grids of {widths} channels.",
                "Choose another method or a plain Vision Transformer.",
            )

    def at(self, *roles: str) -> list[Site]:
        """The sites of these roles, block by block; `BadValue` names a role this backbone lacks."""
        present = {site.role for site in self.sites.values()}
        for role in roles:
            if role not in present:
                raise BadValue(f"{self.arch} has no {role!r} site to adapt.", self._why(role))
        return [site for site in self.sites.values() if site.role in roles]

    def _why(self, role: str) -> str:
        for name, reason in self.silent.items():
            if name.rpartition(".")[2] == role:
                return reason
        return "Choose other targets or another backbone."


def expose(model: nn.Module) -> Tree:
    """A tree over the same tensors with every block's branches as modules.

    `BadBackbone` for classes, blocks or patch embeddings that are not known here.
    """
    family = _family(model)
    patch_embed(model)
    tree = share_tensors(model)
    family.split_branches(tree)
    return cast(Tree, tree.eval().requires_grad_(False))


def inspect_anatomy(tree: Tree, arch: str) -> Anatomy:
    """The anatomy of an exposed tree on any device, `meta` included.

    Runs one forward pass of one image.
    """
    family = _family(tree)
    patches = patch_embed(tree)
    rows, columns = patches.grid_size
    sites: dict[str, Site] = {site.name: site for site in family.sites(tree)}
    fired = _fired(tree, sites.values())
    active = {name: site for name, site in sites.items() if site.path in fired}
    silent = {
        name: f"{arch} never calls its {site.role} module."
        for name, site in sites.items()
        if name not in active
    }
    return Anatomy(
        arch=arch,
        width=tree.embed_dim,
        depth=sum(site.role == "block" for site in sites.values()),
        prefix=getattr(tree, "num_prefix_tokens", 0),
        grid=(rows, columns),
        patch=patches.proj.kernel_size[0],
        features=tree.head_hidden_size if tree.head_hidden_size else tree.num_features,
        sites=active,
        silent=silent,
        tensors=_shapes(tree),
        head=family.HEAD,
    )


def split_qkv(tree: nn.Module, site: Site) -> None:
    """Takes the fused linear apart in which a q, k or v site lies, if that has not been done."""
    if site.role not in QKV:
        return
    fused = tree.get_submodule(site.whole_path)
    if isinstance(fused, nn.Linear):
        put(tree, site.whole_path, SplitLinear(fused))


def timm_name(name: str) -> str:
    """A tensor's name in the exposed tree → timm's own name."""
    return _renamed(name, _PLAIN, _STAGED)


def tree_name(name: str) -> str:
    """timm's name of a tensor → its name in the exposed tree."""
    return _renamed(name, _inverse(_PLAIN), _inverse(_STAGED))


def _family(model: nn.Module) -> ModuleType:
    if type(model) in FAMILIES:
        return FAMILIES[type(model)]
    hint = HINTS.get(type(model), "Choose a timm `vit_*`, `deit*` or `swin_*` model.")
    raise BadBackbone(f"{type(model).__name__} is not a plain Vision Transformer.", hint)


def _shapes(tree: nn.Module) -> dict[str, tuple[int, ...]]:
    parameters = (item for item in tree.named_parameters() if not item[0].startswith("head."))
    return {timm_name(name): tuple(parameter.shape) for name, parameter in parameters}


def _inverse(table: Mapping[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, theirs in table.items()}


def _renamed(name: str, plain: Mapping[str, str], staged: Mapping[str, str]) -> str:
    block = re.match(r"(layers\.\d+\.)?blocks\.\d+\.", name)
    if block is None:
        return name
    rest = name[block.end() :]
    table = staged if block[1] else plain
    for old in sorted(table, key=len, reverse=True):
        if rest == old or rest.startswith(f"{old}."):
            return f"{block[0]}{table[old]}{rest[len(old) :]}"
    return name


class _Probe(Delta):
    """Changes nothing and remembers that it was called."""

    def __init__(self, path: str, fired: set[str]):
        super().__init__()
        self.path = path
        self.fired = fired

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        self.fired.add(self.path)
        return f(x)


@torch.no_grad()
def _fired(tree: Tree, sites: Collection[Site]) -> set[str]:
    """Paths of the sites through which one black image passes."""
    patches = patch_embed(tree)
    proj = patches.proj
    height, width = cast(tuple[int, int], patches.img_size)
    image = torch.zeros(1, proj.in_channels, height, width, device=proj.weight.device)
    fired: set[str] = set()
    twin = share_tensors(tree)
    for site in sites:
        split_qkv(twin, site)
    put_seams(twin, {site.path: _Probe(site.path, fired) for site in sites})
    twin(image)
    return fired
