"""The recipe, the student and the loop: first its parts alone, then the whole, which regresses the teacher's
standardised tokens at three depths.
"""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import timm
import torch
from torch import nn

from . import checkpoint, parts
from .targets import Targets, depths, tokens
from .views import Views

FREE = ("images", "alone", "decay", "lr", "mosaics")  # what may change when a run resumes


@dataclass(frozen=True)
class Recipe:
    """Everything a run depends on besides the photos. Lengths are counted in images seen."""

    teacher: str
    arch: str = "vit_tiny_patch16_224"
    depth: int = 6
    size: int = 112
    teacher_size: int = 112
    batch: int = 128
    images: int = 1_000_000
    alone: int = 0  # of these, how many teach the parts alone, before the whole; needs the teacher's depth and width
    warmup: int = 20_000
    decay: int = 250_000
    lr: float = 1e-3
    vectors: float = 1.0  # norms, biases and positions learn at lr times this
    weight_decay: float = 0.05
    mosaics: float = 0.0  # share of the views that show four photos, for fine detail
    views: int = (
        4  # passes that ask the teacher; later passes repeat them. 0: every pass asks anew.
    )
    seed: int = 0
    precision: str = "bf16"
    optimiser: str = "muon"  # for the blocks' matrices; adamw where the device has no fast bf16, in which Muon works

    def rate(self, seen: int) -> float:
        """Learning rate at `seen` images: warm-up, constant, then linear decay over the last `decay` images.

        The plateau (Zhai et al., arXiv:2106.04560) leaves the length open: resume with other `images` to go on or to
        land.
        """
        return self.lr * max(
            min(1.0, (seen + self.batch) / self.warmup, (self.images - seen) / self.decay), 0.0
        )


@dataclass(frozen=True)
class Progress:
    """One step: images seen so far, mean squared error (1 = knows nothing) for class token and patches, last depth."""

    seen: int
    loss: float
    class_error: float
    patch_error: float
    rate: float


class Student(nn.Module):
    """A randomly initialised timm ViT and, for training only, linear maps from its tokens to the teacher's width."""

    def __init__(self, recipe: Recipe, width: int):
        super().__init__()
        kwargs = {"depth": recipe.depth, "img_size": recipe.size}
        self.backbone = timm.create_model(recipe.arch, pretrained=False, num_classes=0, **kwargs)
        own = self.backbone.embed_dim
        # At equal width tokens meet the teacher's with nothing in between.
        kind = nn.Identity if own == width else nn.Linear
        self.maps = nn.ModuleList(kind(own, width) for _ in depths(self.backbone))

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """images [B, 3, H, W] in 0..1 → predicted tokens [3, B, 1+N, width]."""
        found = tokens(self.backbone, (images - 0.5) / 0.5)
        return torch.stack([to(inner) for to, inner in zip(self.maps, found, strict=True)])


def student(recipe: Recipe, width: int, device: torch.device) -> Student:
    """A fresh student from `recipe.seed`; the global generator is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        made = Student(recipe, width).to(device)
    for block in (
        made.backbone.blocks
    ):  # on CPU the fused kernel's backward is slower than three plain products
        block.attn.fused_attn = device.type == "cuda"
    return made


def errors(predicted: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Mean squared error by depth for class token and patches: [3, 2]. The mean of all six is the loss."""
    squared = (predicted.float() - target.float()).square()
    return torch.stack([squared[:, :, 0].mean((1, 2)), squared[:, :, 1:].mean((1, 2, 3))], dim=1)


class Distillation:
    """One run in the folder `work`, resumed when a checkpoint lies there.

    photos: uint8 [P, 3, side, side]; teacher: a frozen timm VisionTransformer. Raises ValueError when the checkpoint
    belongs to another recipe.
    """

    def __init__(
        self,
        recipe: Recipe,
        teacher: nn.Module,
        photos: np.ndarray,
        work: Path,
        compiled: bool = False,
    ):
        self.recipe = recipe
        self.file = Path(work) / "run.safetensors"
        self.device = next(teacher.parameters()).device
        self.student = student(recipe, teacher.embed_dim, self.device)
        if recipe.alone:
            parts.check(self.student.backbone, teacher)
        self.predict = torch.compile(self._predict) if compiled else self._predict
        self.optimisers = _optimisers(self.student, recipe)
        self.views = Views(
            photos, min(recipe.batch, len(photos)), recipe.size, recipe.seed, recipe.mosaics
        )
        self.dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[recipe.precision]
        grid = self.student.backbone.patch_embed.grid_size[0]
        self.targets = Targets(
            teacher.requires_grad_(False).eval(),
            self.views,
            recipe.teacher_size,
            grid,
            work,
            self.dtype,
        )
        self.step = self._resume() if self.file.exists() else 0

    @property
    def seen(self) -> int:
        """Images seen so far."""
        return self.step * self.views.batch

    def run(self, save_every: float = 60.0) -> Iterator[Progress]:
        """Trains until `recipe.images`, yielding every step; a checkpoint every so many seconds and at the end."""
        if self.targets.statistics is None:
            self.targets.statistics = self.targets.survey()
        saved = time.monotonic()
        start = self.step
        while self.seen < self.recipe.images:
            found = self._train(
                self._alone() if self.seen < self.recipe.alone else self._together()
            )
            self.step += 1
            yield Progress(self.seen, *found, self._groups()[0]["lr"])
            if time.monotonic() - saved >= save_every:
                self.save()
                saved = time.monotonic()
        if self.step > start:
            self.save()

    def save(self) -> None:
        """The run can resume from here afterwards."""
        if self.recipe.views and self.seen > self.recipe.alone:
            self.targets.flush(self._place()[0])
        about = {"recipe": asdict(self.recipe), "step": self.step, "photos": len(self.views.photos)}
        checkpoint.save(self.file, self.student, self.optimisers, self.targets.statistics, about)

    def _resume(self) -> int:
        run = checkpoint.about(self.file)
        asked = asdict(self.recipe) | {"photos": len(self.views.photos)}
        found = run["recipe"] | {"photos": run["photos"]}
        other = {
            k: (found.get(k), asked[k]) for k in asked if k not in FREE and found.get(k) != asked[k]
        }
        if other:
            raise ValueError(
                f"{self.file} is another run: (there, asked) = {other}; choose another work folder"
            )
        self.targets.statistics = checkpoint.load(self.file, self.student, self.optimisers).to(
            self.device
        )
        return run["step"]

    def _place(self) -> tuple[int, int, bool]:
        """(view, block, whether the teacher was already asked) of the coming step."""
        first = -(-self.recipe.alone // self.views.batch)
        epoch, position = divmod(self.step - first, self.views.blocks)
        view = epoch % self.recipe.views if self.recipe.views else epoch
        return view, int(self.views.order(epoch)[position]), view != epoch

    def _alone(self) -> torch.Tensor:
        """Errors [parts, 2] of the student's parts on the teacher's tokens of fresh views."""
        images = self.views.images(*divmod(self.step, self.views.blocks)).to(self.device)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            shown = self.targets.normalize(images)
            return parts.errors(
                self.student.backbone, self.targets.teacher, (images - 0.5) / 0.5, shown
            )

    def _together(self) -> torch.Tensor:
        """Errors [3, 2] of the whole student's tokens."""
        images, target = self._block()
        # One cast a step, and the optimiser still moves fp32 weights; autocast casts at every layer, slower on CPU.
        weights = {
            name: parameter.to(self.dtype) for name, parameter in self.student.named_parameters()
        }
        return errors(self.predict(weights, images.to(self.device, self.dtype)), target)

    def _block(self) -> tuple[torch.Tensor, torch.Tensor]:
        view, block, asked = self._place()
        images = self.views.images(view, block)
        if asked:
            return images, self.targets.remembered(view, block)
        return images, self.targets.fresh(view, block, images, remember=bool(self.recipe.views))

    def _groups(self) -> list[dict]:
        return [group for optimiser in self.optimisers for group in optimiser.param_groups]

    def _predict(self, weights: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(self.student, weights, (images,))

    def _train(self, found: torch.Tensor) -> tuple[float, float, float]:
        """A step down the mean of these errors; returns it, and the last row's class token and patches."""
        for group in self._groups():
            group["lr"] = self.recipe.rate(self.seen) * group["times"]
        loss = found.mean()
        self.student.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        return tuple(torch.stack([loss, *found[-1]]).tolist())


def _optimisers(model: Student, recipe: Recipe) -> list[torch.optim.Optimizer]:
    """Muon (Jordan et al., 2024) or AdamW for the blocks' matrices, AdamW for all else; only matrices decay.

    `match_rms_adamw` (arXiv:2502.16982) gives Muon's steps AdamW's size, so that both share one learning rate.
    """
    matrices = [p for p in model.backbone.blocks.parameters() if p.ndim == 2]
    chosen = {id(p) for p in matrices}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    adamw = partial(torch.optim.AdamW, lr=recipe.lr, betas=(0.9, 0.98))
    muon = partial(torch.optim.Muon, lr=recipe.lr, adjust_lr_fn="match_rms_adamw")
    first = {"muon": muon, "adamw": adamw}[recipe.optimiser]
    vectors = {"params": [p for p in rest if p.ndim in (1, 3)], "times": recipe.vectors}
    others = {"params": [p for p in rest if p.ndim in (2, 4)], "times": 1.0}
    return [
        first([{"params": matrices, "times": 1.0}], weight_decay=recipe.weight_decay),
        adamw([vectors, others], weight_decay=0.0),
    ]
