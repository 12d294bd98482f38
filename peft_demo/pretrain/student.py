"""The student: a timm ViT with random weights, and the optimisers that move it."""

from functools import partial
from typing import Any, cast

import timm
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torch.optim import Optimizer

from .recipe import Recipe
from .targets import depths, tokens


class Student(nn.Module):
    """A timm ViT and, for training only, linear maps from its tokens to the teacher's width."""

    def __init__(self, recipe: Recipe, width: int):
        super().__init__()
        kwargs: dict[str, Any] = {"depth": recipe.depth, "img_size": recipe.size}
        model = timm.create_model(recipe.arch, pretrained=False, num_classes=0, **kwargs)
        self.backbone = cast(VisionTransformer, model)
        own = self.backbone.embed_dim
        # At equal width tokens meet the teacher's with nothing in between.
        kind = nn.Identity if own == width else nn.Linear
        self.maps = nn.ModuleList(kind(own, width) for _ in depths(self.backbone))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images [B 3 H W] in 0..1 → predicted tokens [3 B 1+N width]."""
        own = tokens(self.backbone, (images - 0.5) / 0.5)
        mapped = [to_teacher(depth) for to_teacher, depth in zip(self.maps, own, strict=True)]
        return torch.stack(mapped)


def new_student(recipe: Recipe, width: int, device: torch.device) -> Student:
    """A fresh student from `recipe.seed`; the global generator is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        student = Student(recipe, width).to(device)
    fused = device.type == "cuda"  # on a CPU its backward is slower than three plain products
    for block in student.backbone.blocks:
        cast(Any, block.attn).fused_attn = fused  # timm declares it as constant
    return student


def errors(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error by depth for class token and patches: [3 2]. Their mean is the loss."""
    squared = (predicted.float() - target.float()).square()
    class_token = squared[:, :, 0].mean((1, 2))
    patches = squared[:, :, 1:].mean((1, 2, 3))
    return torch.stack([class_token, patches], dim=1)


def optimisers(student: Student, recipe: Recipe) -> list[Optimizer]:
    """Muon (Jordan et al., 2024) or AdamW for the blocks' matrices, AdamW for all else.

    Only matrices decay. `match_rms_adamw` (arXiv:2502.16982) gives Muon's steps AdamW's size, so
    that both share one learning rate.
    """
    matrices = [p for p in student.backbone.blocks.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    rest = [p for p in student.parameters() if id(p) not in chosen]
    adamw = partial(torch.optim.AdamW, lr=recipe.lr, betas=(0.9, 0.98))
    muon = partial(torch.optim.Muon, lr=recipe.lr, adjust_lr_fn="match_rms_adamw")
    for_matrices = {"muon": muon, "adamw": adamw}[recipe.optimiser]
    groups: list[dict[str, Any]] = [
        {"params": [p for p in rest if p.ndim in (1, 3)], "times": recipe.vectors},
        {"params": [p for p in rest if p.ndim in (2, 4)], "times": 1.0},
    ]
    return [
        for_matrices([{"params": matrices, "times": 1.0}], weight_decay=recipe.weight_decay),
        adamw(groups, weight_decay=0.0),
    ]
