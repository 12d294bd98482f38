"""DINOv3: timm's `Eva` with rotary positions, which turn queries and keys by their patch's place on the grid.

timm hands the turns to every block beside the tokens. They depend on the grid alone, so here each attention holds them
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
from .seam import shell
from .sites import Branch

__all__ = ["HEAD", "NAMES", "sites", "take_apart"]

NAMES = {"attn.scale.gamma_1": "gamma_1", "mlp.scale.gamma_2": "gamma_2"}
"""Parts of a block in the exposed tree → timm's names of them, where a plain block has others."""


class DINOv3(Eva):
    """timm's forward with the blocks as one stack."""

    def forward_features(self, x: Tensor) -> Tensor:
        x, _ = self._pos_embed(self.patch_embed(x))
        return self.norm(self.blocks(self.norm_pre(x)))

    def forward(self, x: Tensor) -> Tensor:
        return self.forward_head(self.forward_features(x))


class Turned(EvaAttention):
    """timm's attention with the turns [H·W 2·d] of its patches at hand: [B N D] → [B N D]."""

    @classmethod
    def of(cls, attention: EvaAttention, turns: Tensor) -> "Turned":
        twin = shell(attention)
        twin.__class__, twin._non_persistent_buffers_set = cls, {"turns"}
        twin._buffers["turns"] = turns
        return twin

    def forward(self, x: Tensor) -> Tensor:
        between = x.shape[1] - self.num_prefix_tokens - len(self.turns)
        return super().forward(x, rope=cat([_unturned(between, self.turns), self.turns]))


class Gamma(nn.Module):
    """A layer scale under timm's name for it."""

    def __init__(self, name: str, gamma: nn.Parameter):
        super().__init__()
        self.name = name
        self.register_parameter(name, gamma)

    def forward(self, x: Tensor) -> Tensor:
        return getattr(self, self.name) * x


def take_apart(tree: Eva) -> None:
    """Puts rebuilt blocks where timm's stood; `BadBackbone` says what cannot be taken apart."""
    if type(tree.rope) is not RotaryEmbeddingDinoV3:
        raise BadBackbone("timm's Eva models are taken apart here for DINOv3's rotary positions only.")
    for i, block in enumerate(tree.blocks):
        check_parts(i, block, EvaBlock, EvaAttention)
        _check_attention(i, block.attn)
    turns = tree.rope.get_embed(shape=tree.patch_embed.grid_size)
    tree.blocks = nn.Sequential(*(_rebuilt(block, turns) for block in tree.blocks))
    tree.__class__ = DINOv3


def _check_attention(i: int, attention: EvaAttention) -> None:
    if attention.qkv is None or attention.q_bias is not None or attention.gate is not None:
        raise BadBackbone(
            f"block {i} reads its qkv past the module, so a method that stands around it would never fire.",
            "Choose a DINOv3 without a bias on qkv: `vit_small_patch16_dinov3`, base or large.",
        )


def _rebuilt(block: EvaBlock, turns: Tensor) -> ResidualBlock:
    return ResidualBlock(
        Branch(block.norm1, Turned.of(block.attn, turns), _gamma(block, "gamma_1"), block.drop_path1),
        Branch(block.norm2, block.mlp, _gamma(block, "gamma_2"), block.drop_path2),
    )


def _gamma(block: EvaBlock, name: str) -> nn.Module:
    gamma = getattr(block, name)
    return nn.Identity() if gamma is None else Gamma(name, gamma)


def _unturned(tokens: int, turns: Tensor) -> Tensor:
    """Turns by nothing, [tokens 2·d]: sines first, then cosines."""
    sines = turns.new_zeros(tokens, turns.shape[1] // 2)
    return cat([sines, sines + 1], dim=1)
