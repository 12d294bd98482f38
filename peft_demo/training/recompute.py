"""A step that keeps little: blocks that are computed again on the way back.

Chen et al., "Training Deep Nets with Sublinear Memory Cost", 2016. A block keeps its input alone,
and autograd asks for the rest when it comes by: the same gradients, bit for bit. Measured (ViT-Ti,
224 px, batch 16, two threads of a Zen 4), LoRA keeps 34 MB instead of 325, and 27 more while one
block is computed; a step takes 1.2 (bf16) to 1.35 (fp32) times as long.
"""

from typing import Any

import torch
from torch import nn
from torch.utils.checkpoint import checkpoint

from ..vit.seam import Seam


class Recomputed(nn.Module):
    """Computes `f`, and computes it again on the way back instead of keeping what it needs then."""

    def __init__(self, f: nn.Module):
        super().__init__()
        self.f = f

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        if not torch.is_grad_enabled():
            return self.f(*args, **kwargs)
        return checkpoint(self.f, *args, use_reentrant=False, **kwargs)


def recompute_blocks(tree: nn.Module) -> None:
    """Puts a `Recomputed` around each block of an attached model."""
    for name, module in list(tree.named_children()):
        if name != "blocks":
            recompute_blocks(module)
            continue
        blocks = module.f if isinstance(module, Seam) else module
        for number, block in list(blocks.named_children()):
            blocks._modules[number] = Recomputed(block)
