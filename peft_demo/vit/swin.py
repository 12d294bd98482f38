"""Swin: stages of pre-norm blocks; from stage to stage the grid [B H W D] halves and D doubles.

Attention sees windows of the grid, shifted in every other block. Cutting them out and putting
them back belongs to the attention branch, so that its norm and its residual stream are those of
the grid:

    x + attn(x),  attn = norm1 → windows(attention) → drop_path1         [B H W D]
    x + mlp(x),   mlp = norm2 → mlp → drop_path2                         [B H·W D], as timm has it

Between two stages stand `reduction_norm` and `reduction`, which has no bias. The patch embedding
ends in a norm; that norm is its site `patch`. Blocks keep timm's drop path (0.1 at most, as the
papers train Swin).
"""

from collections.abc import Iterator
from typing import cast

from timm.models.swin_transformer import (
    SwinTransformer,
    SwinTransformerBlock,
    SwinTransformerStage,
    WindowAttention,
)
from torch import Tensor, nn

from .isotropic import check_parts
from .seam import put, share_tensors
from .sites import Branch, Site, block_sites, linear_site

HEAD = "head.fc"
NAMES = {
    "attn.norm": "norm1",
    "attn.map.attn": "attn",
    "mlp.norm": "norm2",
    "mlp.map": "mlp",
}
"""Parts of a block in the exposed tree → timm's names of them."""


class Windows(SwinTransformerBlock):
    """The windowed attention of a timm block and nothing else of it: [B H W D] → [B H W D]."""

    @classmethod
    def of(cls, block: SwinTransformerBlock) -> "Windows":
        """The attention of `block`, over the same tensors."""
        twin = share_tensors(block)
        twin.__class__ = cls
        for name in list(twin._modules):
            if name != "attn":
                del twin._modules[name]
        return cast(Windows, twin)

    def forward(self, x: Tensor) -> Tensor:
        return self._attn(x)


class GridBlock(nn.Module):
    """A block with its two branches as modules: [B H W D] → [B H W D]."""

    def __init__(self, block: SwinTransformerBlock):
        super().__init__()
        self.attn = Branch(block.norm1, Windows.of(block), nn.Identity(), block.drop_path1)
        self.mlp = Branch(block.norm2, block.mlp, nn.Identity(), block.drop_path2)

    def forward(self, x: Tensor) -> Tensor:
        grid = x.shape[1:3]
        x = x + self.attn(x)
        tokens = x.flatten(1, 2)
        tokens = tokens + self.mlp(tokens)
        return tokens.unflatten(1, grid)


def split_branches(tree: SwinTransformer) -> None:
    """Puts rebuilt blocks where timm's stood; `BadBackbone` names a block of another kind."""
    for s, stage in enumerate(_stages(tree)):
        for i, block in enumerate(stage.blocks):
            path = f"layers.{s}.blocks.{i}"
            check_parts(f"block {path}", block, SwinTransformerBlock, WindowAttention)
            put(tree, path, GridBlock(cast(SwinTransformerBlock, block)))


def sites(tree: SwinTransformer) -> Iterator[Site]:
    """Every site of an exposed tree, before it is known which of them fire."""
    D = tree.embed_dim
    last = tree.num_features
    yield Site("patch", "patch", "patch_embed.norm", D, D)
    stages = _stages(tree)
    index = 0
    for s, stage in enumerate(stages):
        yield from _merging_sites(tree, stage, s)
        for i in range(len(stage.blocks)):
            yield from block_sites(tree, f"layers.{s}.blocks.{i}", "attn.map.attn", index, s)
            index += 1
    yield Site("norm", "norm", "norm", last, last, stage=len(stages) - 1)


def _stages(tree: SwinTransformer) -> list[SwinTransformerStage]:
    return [cast(SwinTransformerStage, stage) for stage in tree.layers]


def _merging_sites(tree: SwinTransformer, stage: SwinTransformerStage, s: int) -> Iterator[Site]:
    """The sites where stage `s` merges patches; the first stage does not."""
    if isinstance(stage.downsample, nn.Identity):
        return
    path = f"layers.{s}.downsample"
    reduction = linear_site(tree, f"layers.{s}.reduction", f"{path}.reduction", stage=s)
    D = reduction.d_in
    norm_name = f"layers.{s}.reduction_norm"
    yield Site(norm_name, "reduction_norm", f"{path}.norm", D, D, stage=s)
    yield reduction
