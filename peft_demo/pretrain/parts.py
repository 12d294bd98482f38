"""The first lesson: each part of the student alone learns to answer as the teacher's part does.

A part is shallow and sees its true input, the teacher's own tokens, from the first step on. So it
learns from far fewer photos than a whole model does. What its small errors do to the parts above it
is the second lesson (`distil.py`). Blocks that learn from a teacher's blocks in parallel are known
from architecture search (Li et al., DNA, arXiv:1911.13053).
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import cast

import torch
from timm.models.vision_transformer import Block, VisionTransformer
from torch import Tensor

Part = Callable[[Tensor], Tensor]


def parts(model: VisionTransformer) -> Iterator[Part]:
    """A pre-norm ViT cut at its residual stream.

    The embedding, attention and MLP of each block, the final norm.
    """
    yield partial(_embedding, model)
    for block in model.blocks:
        yield partial(_attention, cast(Block, block))
        yield partial(_mlp, cast(Block, block))
    yield model.norm


def check(student: VisionTransformer, teacher: VisionTransformer) -> None:
    """`ValueError` unless each part of the student has one of the teacher's, of the same shapes."""
    own = _shape(student)
    wanted = _shape(teacher)
    if own != wanted:
        raise ValueError(
            f"parts learn alone only from like parts; (depth, width, patches, prefix tokens) are "
            f"{own} and {wanted}; choose the teacher's --depth and --size, or --alone 0"
        )


def errors(
    student: VisionTransformer,
    teacher: VisionTransformer,
    own_input: Tensor,
    teacher_input: Tensor,
) -> Tensor:
    """The unexplained share of each part's output (1: knows nothing): [parts 2].

    Columns are class token and patches. The inputs are the same pixels [B 3 H W], normalised for
    the student and for the teacher.
    """
    rows = []
    stream = None
    for own, wanted in zip(parts(student), parts(teacher), strict=True):
        with torch.no_grad():
            target = wanted(teacher_input if stream is None else stream)
        answer = own(own_input if stream is None else stream)
        rows.append(_unexplained(answer, target))
        stream = target if stream is None else stream + target
    return torch.stack(rows)


def _embedding(model: VisionTransformer, images: Tensor) -> Tensor:
    x = model.patch_embed(images)
    x = model._pos_embed(x)
    return model.norm_pre(x)


def _attention(block: Block, x: Tensor) -> Tensor:
    return block.ls1(block.attn(block.norm1(x)))


def _mlp(block: Block, x: Tensor) -> Tensor:
    return block.ls2(block.mlp(block.norm2(x)))


def _shape(model: VisionTransformer) -> tuple[int, int, int, int]:
    patches = model.patch_embed.num_patches
    return len(model.blocks), model.embed_dim, patches, model.num_prefix_tokens


def _unexplained(answer: Tensor, target: Tensor) -> Tensor:
    """Squared errors [B 1+N D] in units of each channel's variance: [2].

    The means over class tokens and over patches.
    """
    variance = target.float().flatten(0, 1).var(0)
    squared = (answer.float() - target.float()).square()
    relative = squared / (variance + 1e-4 * variance.mean())
    return torch.stack([relative[:, 0].mean(), relative[:, 1:].mean()])
