"""Swin: four stages of pre-norm blocks; the tokens are a grid [B H W D] that each stage halves and widens.

Attention sees windows of the grid, shifted in every other block. Cutting them and putting them together again belongs
to the attention branch, so that its norm and its residual stream are those of the grid:

    x + attn(x),  attn = norm1 → windows(attention) → drop_path1              [B H W D]
    x + mlp(x),   mlp = norm2 → mlp → drop_path2                              [B H·W D], as timm reshapes it

Between two stages stand `reduction_norm` and `reduction`, which has no bias. The patch embedding ends in a norm; that
norm is its site `patch`. Blocks keep timm's drop path (0.1 at most, as the papers train Swin).
"""

from collections.abc import Iterator

from timm.models.swin_transformer import SwinTransformerBlock, WindowAttention
from torch import Tensor, nn

from .isotropic import check_parts
from .seam import put, share_tensors
from .sites import Branch, Site, block_sites, linear_site

HEAD = "head.fc"
NAMES = {"attn.norm": "norm1", "attn.map.attn": "attn", "mlp.norm": "norm2", "mlp.map": "mlp"}
"""Parts of a block in the exposed tree → timm's names of them."""


class Windows(SwinTransformerBlock):
    """The windowed attention of a timm block and nothing else of it: [B H W D] → [B H W D]."""

    @classmethod
    def of(cls, block: SwinTransformerBlock) -> "Windows":
        twin = share_tensors(block)
        twin.__class__ = cls
        twin._modules = {"attn": twin.attn}
        return twin

    def forward(self, x: Tensor) -> Tensor:
        return self._attn(x)


class GridBlock(nn.Module):
    """A block with its two branches as modules: [B H W D] → [B H W D]."""

    def __init__(self, block: SwinTransformerBlock):
        super().__init__()
        self.attn = Branch(block.norm1, Windows.of(block), nn.Identity(), block.drop_path1)
        self.mlp = Branch(block.norm2, block.mlp, nn.Identity(), block.drop_path2)

    def forward(self, x: Tensor) -> Tensor:
        tokens = (x + self.attn(x)).flatten(1, 2)
        return (tokens + self.mlp(tokens)).unflatten(1, x.shape[1:3])


def split_branches(tree: nn.Module) -> None:
    """Puts rebuilt blocks where timm's stood; `BadBackbone` names a block of another kind."""
    for path, block in list(_blocks(tree)):
        check_parts(path, block, SwinTransformerBlock, WindowAttention)
        put(tree, path, GridBlock(block))


def sites(tree: nn.Module) -> Iterator[Site]:
    """Every site of an exposed tree, before it is known which of them fire."""
    D = tree.embed_dim
    F = tree.num_features
    yield Site("patch", "patch", "patch_embed.norm", D, D)
    stages = [len(stage.blocks) for stage in tree.layers]
    index = 0
    for s, depth in enumerate(stages):
        yield from _merging(tree, s)
        for i in range(depth):
            yield from block_sites(tree, f"layers.{s}.blocks.{i}", "attn.map.attn", index + i, s)
        index += depth
    yield Site("norm", "norm", "norm", F, F, stage=len(stages) - 1)


def _blocks(tree: nn.Module) -> Iterator[tuple[str, nn.Module]]:
    for s, stage in enumerate(tree.layers):
        for i, block in enumerate(stage.blocks):
            yield f"layers.{s}.blocks.{i}", block


def _merging(tree: nn.Module, s: int) -> Iterator[Site]:
    """The sites where stage `s` merges patches; the first stage does not."""
    at = f"layers.{s}"
    if isinstance(tree.layers[s].downsample, nn.Identity):
        return
    reduction = linear_site(tree, f"{at}.reduction", f"{at}.downsample.reduction", stage=s)
    yield Site(
        f"{at}.reduction_norm",
        "reduction_norm",
        f"{at}.downsample.norm",
        *[reduction.d_in] * 2,
        stage=s,
    )
    yield reduction
