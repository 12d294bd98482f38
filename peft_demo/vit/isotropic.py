"""Plain Vision Transformers: timm's `VisionTransformer`, pre-norm `Block`s of one width.

`Block.forward` never hands its residual branches to a module, so each block is rebuilt from its own
parts:

    x + attn(x),  attn = norm1 → attention → ls1 → drop_path1
    x + mlp(x),   mlp = norm2 → mlp → ls2 → drop_path2

ViT, DeiT, DINOv2 (with registers too; the giant's gated MLP is two linears as well), CLIP and
SigLIP.
"""

from collections.abc import Iterator
from typing import cast

from timm.layers.attention import Attention
from timm.layers.mlp import GluMlp, Mlp
from timm.models.eva import Eva
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor, nn

from ..contracts.errors import BadBackbone
from .seam import put
from .sites import Branch, Site, block_sites, patch_embed

HEAD = "head"
NAMES = {
    "attn.norm": "norm1",
    "attn.map": "attn",
    "attn.scale": "ls1",
    "mlp.norm": "norm2",
    "mlp.map": "mlp",
    "mlp.scale": "ls2",
}
"""Parts of a block in the exposed tree → timm's names of them."""


class ResidualBlock(nn.Module):
    """A pre-norm block with its two branches as modules: [B N D] → [B N D]."""

    def __init__(self, attn: Branch, mlp: Branch):
        super().__init__()
        self.attn = attn
        self.mlp = mlp

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attn(x)
        return x + self.mlp(x)


def split_branches(tree: VisionTransformer) -> None:
    """Puts rebuilt blocks where timm's stood; `BadBackbone` names a block of another kind."""
    for i, block in enumerate(tree.blocks):
        check_parts(f"block {i}", block, Block, Attention)
        put(tree, f"blocks.{i}", _rebuilt(cast(Block, block)))


def check_parts(
    name: str, block: nn.Module, block_type: type[nn.Module], attention_type: type[nn.Module]
) -> None:
    """`BadBackbone` unless the block has these types and an MLP of two linears."""
    attention = getattr(block, "attn", None)
    mlp = getattr(block, "mlp", None)
    known_parts = isinstance(attention, attention_type) and isinstance(mlp, Mlp | GluMlp)
    if type(block) is not block_type or not known_parts:
        names = [type(part).__name__ for part in (block, attention, mlp)]
        raise BadBackbone(
            f"{name} is a {names[0]} with {names[1]} and {names[2]}, which is not taken apart here."
        )


def sites(tree: VisionTransformer | Eva) -> Iterator[Site]:
    """Every site of an exposed tree, before it is known which of them fire."""
    D = tree.embed_dim
    proj = patch_embed(tree).proj
    pixels = proj.weight[0].numel()
    yield Site("patch", "patch", "patch_embed", pixels, D, bias=proj.bias is not None)
    yield Site("blocks", "stack", "blocks", D, D)
    for i in range(len(tree.blocks)):
        yield from block_sites(tree, f"blocks.{i}", "attn.map", i)
    if not isinstance(tree.norm, nn.Identity):
        yield Site("norm", "norm", "norm", D, D)
    elif not isinstance(tree.fc_norm, nn.Identity):
        yield Site("norm", "norm", "fc_norm", D, D)


def _rebuilt(block: Block) -> ResidualBlock:
    attention = Branch(block.norm1, block.attn, block.ls1, block.drop_path1)
    mlp = Branch(block.norm2, block.mlp, block.ls2, block.drop_path2)
    return ResidualBlock(attention, mlp)
