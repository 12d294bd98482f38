"""The named parts of a backbone: where a delta can stand, and what its tensors are called.

timm's blocks never hand their residual branches to a module, so `expose` rebuilds each of them from its own parts as
two explicit branches, bit-equal to timm's. One file knows one family of timm's classes: `isotropic` (plain Vision
Transformers), `swin`, `dinov3`; what they are described in is `sites`.

`survey` then names the sites and runs one image through probes to see which of them fire: a site that the model never
calls (timm's EVA reads `qkv.weight` past its module) is remembered with the reason and refused at attach.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import ModuleType

import torch
from timm.models.eva import Eva
from timm.models.swin_transformer import SwinTransformer
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from ..contracts.errors import BadBackbone, BadValue
from . import dinov3, isotropic, swin
from .seam import Delta, SplitLinear, put, put_seams, share_tensors
from .sites import QKV, Site

FAMILIES = {VisionTransformer: isotropic, SwinTransformer: swin, Eva: dinov3, dinov3.DINOv3: dinov3}
"""Class of a model, timm's or exposed → the file that takes it apart."""

_PLAIN = isotropic.NAMES | dinov3.NAMES
_STAGED = swin.NAMES


@dataclass(frozen=True)
class Anatomy:
    """What a method must know of a backbone to build itself; holds no weights."""

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
    def parameters(self) -> int:
        return sum(torch.Size(shape).numel() for shape in self.tensors.values())

    @property
    def widths(self) -> tuple[int, ...]:
        """D of every stage; of a plain Vision Transformer, one."""
        return tuple(
            {site.stage: site.d_in for site in self.sites.values() if site.role == "block"}.values()
        )

    @property
    def staged(self) -> bool:
        """Whether its tokens are a grid [B H W D] that shrinks and widens from stage to stage, as in a Swin."""
        return len(self.widths) > 1

    def check_plain(self, title: str, why: str) -> None:
        """`BadValue` in the name of a method that needs one sequence of tokens of one width, [B N D], throughout."""
        if self.staged:
            widths = ", ".join(map(str, self.widths))
            raise BadValue(
                f"{title} does not fit {self.arch}: {why}, and its tokens are grids of {widths} channels.",
                "Choose another method or a plain Vision Transformer.",
            )

    def at(self, *roles: str) -> list[Site]:
        """The sites of these roles, block by block; `BadValue` names a role this backbone does not have."""
        for role in roles:
            if not any(s.role == role for s in self.sites.values()):
                raise BadValue(f"{self.arch} has no {role!r} site to adapt.", self._why(role))
        return [s for s in self.sites.values() if s.role in roles]

    def _why(self, role: str) -> str:
        reasons = [why for name, why in self.silent.items() if name.rpartition(".")[2] == role]
        return reasons[0] if reasons else "Choose other targets or another backbone."


def expose(model: nn.Module) -> nn.Module:
    """A tree over the same tensors with every block's branches as modules; `BadBackbone` for classes we do not know."""
    family = _family(model)
    tree = share_tensors(model)
    family.split_branches(tree)
    return tree.eval().requires_grad_(False)


def inspect_anatomy(tree: nn.Module, arch: str) -> Anatomy:
    """The anatomy of an exposed tree on any device, `meta` included. Runs one forward pass of one image."""
    family = _family(tree)
    sites = {s.name: s for s in family.sites(tree)}
    fired = _fired(tree, sites.values())
    silent = {
        n: f"{arch} never calls its {s.role} module."
        for n, s in sites.items()
        if s.path not in fired
    }
    return Anatomy(
        arch=arch,
        width=tree.embed_dim,
        depth=sum(s.role == "block" for s in sites.values()),
        prefix=getattr(tree, "num_prefix_tokens", 0),
        grid=tuple(tree.patch_embed.grid_size),
        patch=tree.patch_embed.patch_size[0],
        features=tree.head_hidden_size if tree.head_hidden_size else tree.num_features,
        sites={n: s for n, s in sites.items() if n not in silent},
        silent=silent,
        tensors={
            timm_name(n): tuple(p.shape)
            for n, p in tree.named_parameters()
            if not n.startswith("head.")
        },
        head=family.HEAD,
    )


def _family(model: nn.Module) -> ModuleType:
    if type(model) in FAMILIES:
        return FAMILIES[type(model)]
    hint = "Choose a timm `vit_*`, `deit*` or `swin_*` model."
    raise BadBackbone(f"{type(model).__name__} is not a plain Vision Transformer.", hint)


def split_qkv(tree: nn.Module, site: Site) -> None:
    """Takes the fused linear apart in which a q, k or v site lies, if that has not been done."""
    path, _, name = site.path.rpartition(".")
    if name in QKV and isinstance(tree.get_submodule(path), nn.Linear):
        put(tree, path, SplitLinear(tree.get_submodule(path)))


def timm_name(name: str) -> str:
    """A tensor's name in the exposed tree → timm's own name."""
    return _renamed(name, _PLAIN, _STAGED)


def tree_name(name: str) -> str:
    """timm's name of a tensor → its name in the exposed tree."""
    return _renamed(name, _inverse(_PLAIN), _inverse(_STAGED))


def _inverse(table: dict[str, str]) -> dict[str, str]:
    return {theirs: ours for ours, theirs in table.items()}


def _renamed(name: str, plain: dict[str, str], staged: dict[str, str]) -> str:
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
    def __init__(self, path: str, fired: set[str]):
        super().__init__()
        self.path = path
        self.fired = fired

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        self.fired.add(self.path)
        return f(x)


@torch.no_grad()
def _fired(tree: nn.Module, sites) -> set[str]:
    fired: set[str] = set()
    twin = share_tensors(tree)
    for site in sites:
        split_qkv(twin, site)
    put_seams(twin, {s.path: _Probe(s.path, fired) for s in sites})
    weight = tree.patch_embed.proj.weight
    twin(torch.zeros(1, weight.shape[1], *tree.patch_embed.img_size, device=weight.device))
    return fired
