"""The first lesson: each part of the student alone, on the teacher's own tokens, shall answer as the teacher's does.

A part is shallow and sees its true input from the first step on, so it learns from far fewer photos than a whole model
does; what its small errors do to the parts above it is the matter of the second lesson (`distil.py`). Blocks that learn
from a teacher's blocks in parallel are known from architecture search (Li et al., DNA, arXiv:1911.13053).
"""

from collections.abc import Callable

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor

Part = Callable[[Tensor], Tensor]


def parts(model: VisionTransformer) -> list[Part]:
    """A pre-norm ViT cut at its residual stream: embedding, attention and MLP of each block, final norm."""
    cut: list[Part] = [lambda images: model.norm_pre(model._pos_embed(model.patch_embed(images)))]
    for block in model.blocks:
        cut += [
            lambda x, b=block: b.ls1(b.attn(b.norm1(x))),
            lambda x, b=block: b.ls2(b.mlp(b.norm2(x))),
        ]
    return [*cut, model.norm]


def check(student: VisionTransformer, teacher: VisionTransformer) -> None:
    """Raises ValueError unless every part of the student has one of the teacher's to learn from, of the same shapes."""
    shapes = [
        (len(m.blocks), m.embed_dim, m.patch_embed.num_patches, m.num_prefix_tokens)
        for m in (student, teacher)
    ]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f"parts learn alone only from like parts; (depth, width, patches, prefix tokens) are {shapes[0]} and "
            f"{shapes[1]}; choose the teacher's --depth and --size, or --alone 0"
        )


def errors(
    student: VisionTransformer, teacher: VisionTransformer, images: Tensor, shown: Tensor
) -> Tensor:
    """The unexplained share of each part's output (1: knows nothing), class token and patches: [parts, 2].

    images, shown: the same pixels [B, 3, H, W], normalised for the student and for the teacher.
    """
    found = []
    stream = None
    for own, wanted in zip(parts(student), parts(teacher), strict=True):
        with torch.no_grad():
            target = wanted(shown if stream is None else stream)
        found.append(_unexplained(own(images if stream is None else stream), target))
        stream = target if stream is None else stream + target
    return torch.stack(found)


def _unexplained(answer: Tensor, target: Tensor) -> Tensor:
    """Squared errors [B, 1+N, D] in units of each channel's variance, means over class tokens and over patches: [2]."""
    variance = target.float().flatten(0, 1).var(0)
    squared = (answer.float() - target.float()).square() / (variance + 1e-4 * variance.mean())
    return torch.stack([squared[:, 0].mean(), squared[:, 1:].mean()])
