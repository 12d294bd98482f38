"""DINOv3: timm's `Eva` with rotary position embeddings (RoPE), which rotate queries and keys.

timm passes RoPE to every block; it depends only on the grid, so each attention stores it (one
tensor, shared by all blocks). A block then is a plain one again: [B N D] → [B N D]. Tokens
between the prefix and the patches, prompts for example, have no position and are not rotated. The
layer scale is a bare parameter of timm's block.

Refused by name: the `qkvb` models, which read qkv's weight past its module, so that nothing
around it would ever fire; the `plus` and 7B ones, whose gated MLP has three linears; the rest of
the `Eva` class.
"""

from typing import cast

from timm.layers.pos_embed_sincos import RotaryEmbeddingDinoV3
from timm.models.eva import Eva, EvaAttention, EvaBlock
from torch import Tensor, cat, nn

from ..contracts.errors import BadBackbone
from .isotropic import HEAD, ResidualBlock, check_parts, sites
from .seam import put, share_tensors
from .sites import Branch, patch_embed

__all__ = ["HEAD", "NAMES", "sites", "split_branches"]

NAMES = {"attn.scale.gamma_1": "gamma_1", "mlp.scale.gamma_2": "gamma_2"}
"""Parts of a block in the exposed tree → timm's names of them, where a plain block has others."""


class DINOv3(Eva):
    """timm's forward with the blocks as one stack."""

    def forward_features(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - no masks
        x = self.patch_embed(x)
        x, _ = self._pos_embed(x)
        x = self.norm_pre(x)
        x = self.blocks(x)
        return self.norm(x)

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - no masks
        x = self.forward_features(x)
        return self.forward_head(x)


class RotaryAttention(EvaAttention):
    """timm's attention that stores the RoPE [H·W 2·d] of its patches: [B N D] → [B N D]."""

    rope: Tensor

    @classmethod
    def of(cls, attention: EvaAttention, rope: Tensor) -> "RotaryAttention":
        """`attention` over the same tensors, with `rope` as a buffer that is not saved."""
        twin = share_tensors(attention)
        twin.__class__ = cls
        twin._non_persistent_buffers_set = {"rope"}
        twin._buffers["rope"] = rope
        return cast(RotaryAttention, twin)

    def forward(self, x: Tensor) -> Tensor:  # pyright: ignore[reportIncompatibleMethodOverride] - no masks
        between = x.shape[1] - self.num_prefix_tokens - len(self.rope)
        rope = cat([_no_rotation(between, self.rope), self.rope])
        return super().forward(x, rope=rope)


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
        check_parts(f"block {i}", block, EvaBlock, EvaAttention)
        _check_attention(i, _attention(block))
    rope = tree.rope.get_embed(shape=list(patch_embed(tree).grid_size))
    rebuilt = [_rebuilt(cast(EvaBlock, block), rope) for block in tree.blocks]
    put(tree, "blocks", nn.Sequential(*rebuilt))
    tree.__class__ = DINOv3


def _check_attention(i: int, attention: EvaAttention) -> None:
    bypassed = attention.qkv is None or attention.q_bias is not None
    if bypassed or attention.gate is not None:
        raise BadBackbone(
            f"block {i} reads its qkv past the module, "
            "so a method that stands around it would never fire.",
            "Choose a DINOv3 without a bias on qkv: `vit_small_patch16_dinov3`, base or large.",
        )


def _attention(block: nn.Module) -> EvaAttention:
    return cast(EvaAttention, block.attn)


def _rebuilt(block: EvaBlock, rope: Tensor) -> ResidualBlock:
    attention = RotaryAttention.of(_attention(block), rope)
    attention_scale = _scale("gamma_1", block.gamma_1)
    mlp_scale = _scale("gamma_2", block.gamma_2)
    return ResidualBlock(
        Branch(block.norm1, attention, attention_scale, block.drop_path1),
        Branch(block.norm2, block.mlp, mlp_scale, block.drop_path2),
    )


def _scale(name: str, gamma: nn.Parameter | None) -> nn.Module:
    return nn.Identity() if gamma is None else Gamma(name, gamma)


def _no_rotation(tokens: int, rope: Tensor) -> Tensor:
    """The RoPE that leaves `tokens` as they are, [tokens 2·d]: sines first, then cosines."""
    sines = rope.new_zeros(tokens, rope.shape[1] // 2)
    cosines = sines + 1
    return cat([sines, cosines], dim=1)
