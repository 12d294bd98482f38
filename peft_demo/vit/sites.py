"""The words in which every family of backbones is described: sites, their roles, residual branches.

| role | what stands there |
|---|---|
| `q` `k` `v` | a third each of the fused linear `qkv` |
| `qkv` `proj` `fc1` `fc2` | linears |
| `norm1` `norm2` `norm` | norms, the last one after all blocks |
| `attn` `mlp` | residual branches, norm to drop path |
| `block` `stack` | one block, all blocks |
| `patch` | the patch embedding |
| `reduction` | between two stages of a Swin, the linear that merges patches |
| `reduction_norm` | the norm before it |
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import cast

from timm.layers.patch_embed import PatchEmbed
from torch import Tensor, nn

from ..contracts.errors import BadBackbone

QKV = ("q", "k", "v")
LINEARS = (*QKV, "proj", "fc1", "fc2")
"""The linears of a block, with q, k and v apart."""
FUSED_LINEARS = ("qkv", "proj", "fc1", "fc2")
"""The linears of a block as timm has them."""
MAPS = ("norm1", *QKV, "proj", "norm2", "fc1", "fc2")
"""Linears and norms of a block, in the order in which a token passes them."""
FUSED_MAPS = ("norm1", "qkv", "proj", "norm2", "fc1", "fc2")
NORMS = ("norm1", "norm2", "norm", "reduction_norm")


@dataclass(frozen=True)
class Site:
    """A place where a delta can stand around a frozen map that takes [... d_in] to [... d_out]."""

    name: str
    """As adapter files say it: "blocks.3.q", "blocks.3.mlp", "layers.2.blocks.0.q", "norm"."""
    role: str
    path: str
    """Where the map stands in the exposed tree."""
    d_in: int
    d_out: int
    block: int = -1
    """Index of its block, counted through all stages; -1 outside the blocks."""
    bias: bool = True
    """Whether the frozen map has a bias."""
    stage: int = 0
    """Index of its stage; all of a plain Vision Transformer is one."""

    @property
    def whole_path(self) -> str:
        """Where the whole map stands in the exposed tree; for q, k and v, the fused qkv."""
        return self.path.rpartition(".")[0] if self.role in QKV else self.path

    @property
    def rows(self) -> slice:
        """The rows of the whole map's weight [D_out D_in] and bias [D_out] that belong to the
        site."""
        return qkv_rows(self.role, self.d_out) if self.role in QKV else slice(0, self.d_out)


def qkv_rows(role: str, d_out: int) -> slice:
    """The `d_out` rows of timm's fused qkv [3·d_out D_in] that are q, k or v."""
    first = QKV.index(role) * d_out
    return slice(first, first + d_out)


class Branch(nn.Module):
    """A residual branch: `forward` maps the residual stream x [B ... D] to what is added to it."""

    def __init__(self, norm: nn.Module, map: nn.Module, scale: nn.Module, drop: nn.Module):
        super().__init__()
        self.norm = norm
        self.map = map
        self.scale = scale
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        x = self.norm(x)
        x = self.map(x)
        x = self.scale(x)
        return self.drop(x)


def block_sites(
    tree: nn.Module, at: str, attention: str, block: int, stage: int = 0
) -> Iterator[Site]:
    """The sites of the exposed block at path `at`, whose attention stands at `attention` in it."""
    qkv = f"{at}.{attention}.qkv"
    proj = f"{at}.{attention}.proj"
    D = linear_at(tree, qkv).in_features
    yield Site(at, "block", at, D, D, block, stage=stage)
    yield Site(f"{at}.attn", "attn", f"{at}.attn", D, D, block, stage=stage)
    yield Site(f"{at}.mlp", "mlp", f"{at}.mlp", D, D, block, stage=stage)
    yield Site(f"{at}.norm1", "norm1", f"{at}.attn.norm", D, D, block, stage=stage)
    yield Site(f"{at}.norm2", "norm2", f"{at}.mlp.norm", D, D, block, stage=stage)
    yield linear_site(tree, f"{at}.qkv", qkv, block, stage)
    yield from _qkv_sites(tree, at, qkv, block, stage)
    yield linear_site(tree, f"{at}.proj", proj, block, stage)
    yield linear_site(tree, f"{at}.fc1", f"{at}.mlp.map.fc1", block, stage)
    yield linear_site(tree, f"{at}.fc2", f"{at}.mlp.map.fc2", block, stage)


def linear_site(tree: nn.Module, name: str, path: str, block: int = -1, stage: int = 0) -> Site:
    """The site around the linear at `path`; its role is the last part of its name."""
    linear = linear_at(tree, path)
    return Site(
        name=name,
        role=name.rpartition(".")[2],
        path=path,
        d_in=linear.in_features,
        d_out=linear.out_features,
        block=block,
        bias=linear.bias is not None,
        stage=stage,
    )


def linear_at(tree: nn.Module, path: str) -> nn.Linear:
    """The linear at a dotted path of the tree."""
    return cast(nn.Linear, tree.get_submodule(path))


def patch_embed(tree: nn.Module) -> PatchEmbed:
    """The patch embedding of a model; `BadBackbone` where more than a convolution stands there."""
    part = tree.patch_embed
    if isinstance(part, PatchEmbed):
        return part
    raise BadBackbone(
        f"the patches of this model come from a {type(part).__name__}, a network of its own.",
        "Choose a model whose patch embedding is one convolution: `vit_base_patch16_224`.",
    )


def image_size(tree: nn.Module) -> int:
    """Height of the images that a model takes, pixels."""
    height, _ = cast(tuple[int, int], patch_embed(tree).img_size)
    return height


def _qkv_sites(tree: nn.Module, at: str, path: str, block: int, stage: int) -> Iterator[Site]:
    fused = linear_at(tree, path)
    for role in QKV:
        yield Site(
            name=f"{at}.{role}",
            role=role,
            path=f"{path}.{role}",
            d_in=fused.in_features,
            d_out=fused.out_features // len(QKV),
            block=block,
            bias=fused.bias is not None,
            stage=stage,
        )
