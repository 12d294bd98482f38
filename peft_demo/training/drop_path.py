"""Drop path: in training, residual branches are left out now and then, the deeper the more often.

Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016. Block l of L leaves out a branch of
an image with a chance that grows from 0 to the recipe's in the last one, as timm's linear rule has
it. The code of RLRR and AOFT calls dropout on single entries of a branch by the same name.
"""

from dataclasses import replace

from timm.layers.drop import DropPath
from torch import nn

from ..vit import Backbone
from ..vit.seam import share_tensors
from ..vit.sites import Branch


def with_drop_path(backbone: Backbone, chance: float, dropped: str) -> Backbone:
    """The backbone over the same tensors with this chance in its last block; itself for 0.

    `dropped` is "branches" or "entries". A model in eval mode leaves nothing out.
    """
    if not chance:
        return backbone
    tree = share_tensors(backbone.model)
    branches = [module for module in tree.modules() if isinstance(module, Branch)]
    last = max(1, len(branches) // 2 - 1)
    layer = DropPath if dropped == "branches" else nn.Dropout
    for place, branch in enumerate(branches):  # attention and MLP of each block
        branch.drop = layer(chance * (place // 2) / last)
    return replace(backbone, model=tree)
