"""The named parts of a Vision Transformer: where a delta can stand, and what its tensors are called.

timm's pre-norm `Block.forward` never hands its residual branches to a module, so `expose` rebuilds each block from its
own parts as two explicit branches, bit-equal to timm's:

    x + attn(x),  attn = norm1 → attention → ls1 → drop_path1          x + mlp(x),  mlp = norm2 → mlp → ls2 → drop_path2

`survey` then names the sites and runs one image through probes to see which of them fire: a site that the model never
calls (timm's EVA reads `qkv.weight` past its module) is remembered with the reason and refused at attach.

Roles of sites: `q k v qkv proj fc1 fc2` linears · `norm1 norm2 norm` norms · `attn mlp` branches, `block` a block,
`stack` all blocks · `patch` the patch embedding.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from timm.layers import Attention, Mlp
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from ..contracts.errors import BadBackbone, BadValue
from .seam import Delta, Rows, put, put_seams, shell

QKV = ("q", "k", "v")


class Branch(nn.Module):
    """A residual branch: `forward` maps the residual stream x [B N D] to what is added to it."""

    def __init__(self, norm: nn.Module, map: nn.Module, scale: nn.Module, drop: nn.Module):
        super().__init__()
        self.norm, self.map, self.scale, self.drop = norm, map, scale, drop

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.scale(self.map(self.norm(x))))


class ResidualBlock(nn.Module):
    """timm's pre-norm block with its two branches as modules: [B N D] → [B N D]."""

    def __init__(self, block: Block):
        super().__init__()
        self.attn = Branch(block.norm1, block.attn, block.ls1, block.drop_path1)
        self.mlp = Branch(block.norm2, block.mlp, block.ls2, block.drop_path2)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.mlp(x)


_OURS_TO_TIMM = {"attn.norm": "norm1", "attn.map": "attn", "attn.scale": "ls1"}
_OURS_TO_TIMM |= {"mlp.norm": "norm2", "mlp.map": "mlp", "mlp.scale": "ls2"}


@dataclass(frozen=True)
class Site:
    """A place where a delta can stand around a frozen map that takes [... d_in] to [... d_out]."""

    name: str
    """As adapter files say it: "blocks.3.q", "blocks.3.mlp", "norm"."""
    role: str
    path: str
    """Where the map stands in the exposed tree."""
    d_in: int
    d_out: int
    block: int = -1
    """Index of its block, -1 outside the blocks."""
    bias: bool = True
    """Whether the frozen map has a bias."""


@dataclass(frozen=True)
class Anatomy:
    """What a method must know of a backbone to build itself; holds no weights."""

    arch: str
    width: int
    """D"""
    depth: int
    """L"""
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

    @property
    def parameters(self) -> int:
        return sum(torch.Size(shape).numel() for shape in self.tensors.values())

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
    if type(model) is not VisionTransformer:
        raise BadBackbone(f"{type(model).__name__} is not a plain Vision Transformer.", "Choose a timm `vit_*` model.")
    tree = shell(model)
    for i, block in enumerate(tree.blocks):
        if type(block) is not Block or not isinstance(block.attn, Attention) or not isinstance(block.mlp, Mlp):
            parts = f"{type(block).__name__} with {type(block.attn).__name__} and {type(block.mlp).__name__}"
            raise BadBackbone(f"block {i} is a {parts}, which is not taken apart here.")
        put(tree, f"blocks.{i}", ResidualBlock(block))
    return tree.eval().requires_grad_(False)


def survey(tree: nn.Module, arch: str) -> Anatomy:
    """The anatomy of an exposed tree on any device, `meta` included. Runs one forward pass of one image."""
    sites = {s.name: s for s in _sites(tree)}
    fired = _fired(tree, sites.values())
    silent = {n: f"{arch} never calls its {s.role} module." for n, s in sites.items() if s.path not in fired}
    return Anatomy(
        arch=arch,
        width=tree.embed_dim,
        depth=len(tree.blocks),
        prefix=tree.num_prefix_tokens,
        grid=tuple(tree.patch_embed.grid_size),
        patch=tree.patch_embed.patch_size[0],
        features=tree.head_hidden_size if tree.head_hidden_size else tree.num_features,
        sites={n: s for n, s in sites.items() if n not in silent},
        silent=silent,
        tensors={timm_name(n): tuple(p.shape) for n, p in tree.named_parameters() if not n.startswith("head.")},
    )


def open_rows(tree: nn.Module, site: Site) -> None:
    """Takes the fused linear apart in which a q, k or v site lies, if that has not been done."""
    path, _, name = site.path.rpartition(".")
    if name in QKV and isinstance(tree.get_submodule(path), nn.Linear):
        put(tree, path, Rows(tree.get_submodule(path), QKV))


def timm_name(name: str) -> str:
    """A tensor's name in the exposed tree → timm's own name."""
    return _renamed(name, _OURS_TO_TIMM)


def tree_name(name: str) -> str:
    """timm's name of a tensor → its name in the exposed tree."""
    return _renamed(name, {theirs: ours for ours, theirs in _OURS_TO_TIMM.items()})


def _renamed(name: str, table: dict[str, str]) -> str:
    head, _, rest = name.partition(".")
    number, _, rest = rest.partition(".")
    if head != "blocks" or not number.isdigit():
        return name
    for old in sorted(table, key=len, reverse=True):
        if rest == old or rest.startswith(f"{old}."):
            return f"{head}.{number}.{table[old]}{rest[len(old) :]}"
    return name


def _sites(tree: nn.Module):
    D = tree.embed_dim
    yield Site("patch", "patch", "patch_embed", tree.patch_embed.proj.weight[0].numel(), D, bias=_biased(tree, "patch"))
    yield Site("blocks", "stack", "blocks", D, D)
    for i, block in enumerate(tree.blocks):
        yield from _block_sites(i, block, D)
    if not isinstance(tree.norm, nn.Identity):
        yield Site("norm", "norm", "norm", D, D)
    elif not isinstance(tree.fc_norm, nn.Identity):
        yield Site("norm", "norm", "fc_norm", D, D)


def _biased(tree: nn.Module, role: str) -> bool:
    return role != "patch" or tree.patch_embed.proj.bias is not None


def _block_sites(i: int, block: ResidualBlock, D: int):
    at = f"blocks.{i}"
    yield Site(at, "block", at, D, D, i)
    yield Site(f"{at}.attn", "attn", f"{at}.attn", D, D, i)
    yield Site(f"{at}.mlp", "mlp", f"{at}.mlp", D, D, i)
    yield Site(f"{at}.norm1", "norm1", f"{at}.attn.norm", D, D, i)
    yield Site(f"{at}.norm2", "norm2", f"{at}.mlp.norm", D, D, i)
    qkv = block.attn.map.qkv
    yield Site(f"{at}.qkv", "qkv", f"{at}.attn.map.qkv", qkv.in_features, qkv.out_features, i, qkv.bias is not None)
    for part in QKV:
        path = f"{at}.attn.map.qkv.{part}"
        yield Site(f"{at}.{part}", part, path, qkv.in_features, qkv.out_features // 3, i, qkv.bias is not None)
    for branch, role in (("attn", "proj"), ("mlp", "fc1"), ("mlp", "fc2")):
        linear = getattr(getattr(block, branch).map, role)
        path = f"{at}.{branch}.map.{role}"
        yield Site(f"{at}.{role}", role, path, linear.in_features, linear.out_features, i, linear.bias is not None)


class _Probe(Delta):
    def __init__(self, path: str, fired: set[str]):
        super().__init__()
        self.path, self.fired = path, fired

    def forward(self, f: nn.Module, x: Tensor) -> Tensor:
        self.fired.add(self.path)
        return f(x)


@torch.no_grad()
def _fired(tree: nn.Module, sites) -> set[str]:
    fired: set[str] = set()
    twin = shell(tree)
    for site in sites:
        open_rows(twin, site)
    put_seams(twin, {s.path: _Probe(s.path, fired) for s in sites})
    weight = tree.patch_embed.proj.weight
    twin(torch.zeros(1, weight.shape[1], *tree.patch_embed.img_size, device=weight.device))
    return fired
