"""DINOv3: timm's `Eva` with rotary positions, which turn queries and keys by their patch's place on the grid.

timm hands the rope to every block beside the tokens. They depend on the grid alone, so here each attention holds them
(one tensor for all), and a block is a plain one again: [B N D] → [B N D]. Tokens that stand between the prefix and the
patches, prompts say, have no place and are not turned. The layer scale is a bare parameter of timm's block.

Left out by name: the `qkvb` models, which read qkv's weight past its module, so that nothing around it would ever fire,
and the `plus` and 7B ones, whose gated MLP has three linears; and the rest of the `Eva` class.
"""

from timm.layers import RotaryEmbeddingDinoV3
from timm.models.eva import Eva, EvaAttention, EvaBlock
from torch import Tensor, cat, nn

from ..contracts.errors import BadBackbone
from .isotropic import HEAD, ResidualBlock, check_parts, sites
from .seam import share_tensors
from .sites import Branch

__all__ = ["HEAD", "NAMES", "sites", "split_branches"]

NAMES = {"attn.scale.gamma_1": "gamma_1", "mlp.scale.gamma_2": "gamma_2"}
"""Parts of a block in the exposed tree → timm's names of them, where a plain block has others."""


class DINOv3(Eva):
    """timm's forward with the blocks as one stack."""

    def forward_features(self, x: Tensor) -> Tensor:
        x, _ = self._pos_embed(self.patch_embed(x))
        return self.norm(self.blocks(self.norm_pre(x)))

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


class RotaryAttention(EvaAttention):
    """timm's attention with the rope [H·W 2·d] of its patches at hand: [B N D] → [B N D]."""

    @classmethod
    def of(cls, attention: EvaAttention, rope: Tensor) -> "RotaryAttention":
        twin = share_tensors(attention)
        twin.__class__ = cls
        twin._non_persistent_buffers_set = {"rope"}
        twin._buffers["rope"] = rope
        return twin

    def forward(self, x: Tensor) -> Tensor:
        between = x.shape[1] - self.num_prefix_tokens - len(self.rope)
        return super().forward(x, rope=cat([_no_rotation(between, self.rope), self.rope]))


class Gamma(nn.Module):
    """A layer scale under timm's name for it."""

    def __init__(self, name: str, gamma: nn.Parameter):
        super().__init__()
        self.name = name
        self.register_parameter(name, gamma)

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, self.name) * x


def split_branches(tree: Eva) -> None:
    """Puts rebuilt blocks where timm's stood; `BadBackbone` says what cannot be taken apart."""
    if type(tree.rope) is not RotaryEmbeddingDinoV3:
        raise BadBackbone(
            "timm's Eva models are taken apart here for DINOv3's rotary positions only."
        )
    for i, block in enumerate(tree.blocks):
        check_parts(i, block, EvaBlock, EvaAttention)
        _check_attention(i, block.attn)
    rope = tree.rope.get_embed(shape=tree.patch_embed.grid_size)
    tree.blocks = nn.Sequential(*(_rebuilt(block, rope) for block in tree.blocks))
    tree.__class__ = DINOv3


def _check_attention(i: int, attention: EvaAttention) -> None:
    if attention.qkv is None or attention.q_bias is not None or attention.gate is not None:
        raise BadBackbone(
            f"block {i} reads its qkv past the module, so a method that stands around it would never fire.",
            "Choose a DINOv3 without a bias on qkv: `vit_small_patch16_dinov3`, base or large.",
        )


def _rebuilt(block: EvaBlock, rope: Tensor) -> ResidualBlock:
    return ResidualBlock(
        Branch(
            block.norm1,
            RotaryAttention.of(block.attn, rope),
            _gamma(block, "gamma_1"),
            block.drop_path1,
        ),
        Branch(block.norm2, block.mlp, _gamma(block, "gamma_2"), block.drop_path2),
    )


def _gamma(block: EvaBlock, name: str) -> nn.Module:
    gamma = getattr(block, name)
    return nn.Identity() if gamma is None else Gamma(name, gamma)


def _no_rotation(tokens: int, rope: Tensor) -> Tensor:
    """Turns by nothing, [tokens 2·d]: sines first, then cosines."""
    sines = rope.new_zeros(tokens, rope.shape[1] // 2)
    return cat([sines, sines + 1], dim=1)
