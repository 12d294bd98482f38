"""The words in which every family of backbones is described: sites, residual branches, the sites of one block.

Roles of sites: `q k v qkv proj fc1 fc2` linears · `norm1 norm2 norm` norms · `attn mlp` branches, `block` a block,
`stack` all blocks · `patch` the patch embedding · between the stages of a Swin `reduction`, the linear that merges
patches, and `reduction_norm` before it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor, nn

QKV = ("q", "k", "v")


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


class Branch(nn.Module):
    """A residual branch: `forward` maps the residual stream x [B ... D] to what is added to it."""

    def __init__(self, norm: nn.Module, map: nn.Module, scale: nn.Module, drop: nn.Module):
        super().__init__()
        self.norm = norm
        self.map = map
        self.scale = scale
        self.drop = drop

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.scale(self.map(self.norm(x))))


def block_sites(
    tree: nn.Module, at: str, attention: str, block: int, stage: int = 0
) -> Iterator[Site]:
    """The sites of the exposed block at path `at`, whose attention stands at `attention` within it."""
    attention = f"{at}.{attention}"
    qkv = f"{attention}.qkv"
    proj = f"{attention}.proj"
    D = tree.get_submodule(qkv).in_features
    yield Site(at, "block", at, D, D, block, stage=stage)
    for role, path in (
        ("attn", "attn"),
        ("mlp", "mlp"),
        ("norm1", "attn.norm"),
        ("norm2", "mlp.norm"),
    ):
        yield Site(f"{at}.{role}", role, f"{at}.{path}", D, D, block, stage=stage)
    yield linear_site(tree, f"{at}.qkv", qkv, block, stage)
    yield from _rows(tree, at, qkv, block, stage)
    for role, path in (("proj", proj), ("fc1", f"{at}.mlp.map.fc1"), ("fc2", f"{at}.mlp.map.fc2")):
        yield linear_site(tree, f"{at}.{role}", path, block, stage)


def linear_site(tree: nn.Module, name: str, path: str, block: int = -1, stage: int = 0) -> Site:
    """The site around the linear at `path`; its role is the last part of its name."""
    linear = tree.get_submodule(path)
    role = name.rpartition(".")[2]
    return Site(
        name,
        role,
        path,
        linear.in_features,
        linear.out_features,
        block,
        linear.bias is not None,
        stage,
    )


def _rows(tree: nn.Module, at: str, qkv: str, block: int, stage: int) -> Iterator[Site]:
    fused = tree.get_submodule(qkv)
    d_out = fused.out_features // len(QKV)
    biased = fused.bias is not None
    for part in QKV:
        yield Site(
            f"{at}.{part}", part, f"{qkv}.{part}", fused.in_features, d_out, block, biased, stage
        )
