"""Plain Vision Transformers: timm's `VisionTransformer` with its pre-norm `Block`s, all of one width.

`Block.forward` never hands its residual branches to a module, so each block is rebuilt from its own parts:

    x + attn(x),  attn = norm1 → attention → ls1 → drop_path1          x + mlp(x),  mlp = norm2 → mlp → ls2 → drop_path2

ViT, DeiT, DINOv2 (with registers too; the giant's gated MLP is two linears as well), CLIP and SigLIP towers.
"""

from collections.abc import Iterator

from timm.layers import Attention, GluMlp, Mlp
from timm.models.vision_transformer import Block
from torch import Tensor, nn

from ..contracts.errors import BadBackbone
from .seam import put
from .sites import Branch, Site, block_sites

HEAD = "head"
NAMES = {"attn.norm": "norm1", "attn.map": "attn", "attn.scale": "ls1"}
NAMES |= {"mlp.norm": "norm2", "mlp.map": "mlp", "mlp.scale": "ls2"}
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


def split_branches(tree: nn.Module) -> None:
    """Puts rebuilt blocks where timm's stood; `BadBackbone` names a block of another kind."""
    for i, block in enumerate(tree.blocks):
        check_parts(i, block, Block, Attention)
        put(tree, f"blocks.{i}", _rebuilt(block))


def check_parts(i: int, block: nn.Module, kind: type, attention: type) -> None:
    """`BadBackbone` unless the block is of this kind, with this attention and an MLP of two linears."""
    if (
        type(block) is not kind
        or not isinstance(block.attn, attention)
        or not isinstance(block.mlp, Mlp | GluMlp)
    ):
        parts = [
            type(part).__name__
            for part in (block, getattr(block, "attn", None), getattr(block, "mlp", None))
        ]
        raise BadBackbone(
            f"block {i} is a {parts[0]} with {parts[1]} and {parts[2]}, which is not taken apart here."
        )


def sites(tree: nn.Module) -> Iterator[Site]:
    """Every site of an exposed tree, before it is known which of them fire."""
    D = tree.embed_dim
    proj = tree.patch_embed.proj
    yield Site(
        "patch", "patch", "patch_embed", proj.weight[0].numel(), D, bias=proj.bias is not None
    )
    yield Site("blocks", "stack", "blocks", D, D)
    for i in range(len(tree.blocks)):
        yield from block_sites(tree, f"blocks.{i}", "attn.map", i)
    if not isinstance(tree.norm, nn.Identity):
        yield Site("norm", "norm", "norm", D, D)
    elif not isinstance(tree.fc_norm, nn.Identity):
        yield Site("norm", "norm", "fc_norm", D, D)


def _rebuilt(block: Block) -> ResidualBlock:
    return ResidualBlock(
        Branch(block.norm1, block.attn, block.ls1, block.drop_path1),
        Branch(block.norm2, block.mlp, block.ls2, block.drop_path2),
    )
