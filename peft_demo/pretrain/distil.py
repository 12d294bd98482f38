"""The loop: first the student's parts alone, then the whole, on the teacher's tokens."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from . import checkpoint, parts
from .recipe import FREE, Recipe
from .student import errors, new_student, optimisers
from .targets import Targets
from .views import Views


@dataclass(frozen=True)
class Progress:
    """One step: images seen, and mean squared errors (1 = knows nothing) at the last depth."""

    seen: int
    loss: float
    class_error: float
    patch_error: float
    rate: float


class Distillation:
    """One run in the folder `work`, resumed when a checkpoint lies there.

    photos: uint8 [P 3 side side]; teacher: a frozen timm VisionTransformer. Raises `ValueError`
    when the checkpoint belongs to another recipe.
    """

    def __init__(
        self,
        recipe: Recipe,
        teacher: VisionTransformer,
        photos: np.ndarray,
        work: Path,
        compiled: bool = False,
    ):
        self.recipe = recipe
        self.file = Path(work) / "run.safetensors"
        self.device = next(teacher.parameters()).device
        self.student = new_student(recipe, teacher.embed_dim, self.device)
        if recipe.alone:
            parts.check(self.student.backbone, teacher)
        self.predict = torch.compile(self._predict) if compiled else self._predict
        self.optimisers = optimisers(self.student, recipe)
        batch = min(recipe.batch, len(photos))
        self.views = Views(photos, batch, recipe.size, recipe.seed, recipe.mosaics)
        self.dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[recipe.precision]
        self.targets = Targets(
            teacher=teacher.requires_grad_(False).eval(),
            views=self.views,
            size=recipe.teacher_size,
            grid=self.student.backbone.patch_embed.grid_size[0],
            work=work,
            dtype=self.dtype,
        )
        self.step = self._resume() if self.file.exists() else 0

    @property
    def seen(self) -> int:
        """Images seen so far."""
        return self.step * self.views.batch

    def run(self, save_every: float = 60.0) -> Iterator[Progress]:
        """Trains until `recipe.images`, yielding every step.

        A checkpoint is written every `save_every` seconds and at the end.
        """
        if self.targets.statistics is None:
            self.targets.statistics = self.targets.survey()
        saved = time.monotonic()
        start = self.step
        while self.seen < self.recipe.images:
            rows = self._alone() if self.seen < self.recipe.alone else self._together()
            loss, class_error, patch_error = self._descend(rows)
            self.step += 1
            yield Progress(self.seen, loss, class_error, patch_error, self._groups()[0]["lr"])
            if time.monotonic() - saved >= save_every:
                self.save()
                saved = time.monotonic()
        if self.step > start:
            self.save()

    def save(self) -> None:
        """The run can resume from here afterwards."""
        if self.recipe.views and self.seen > self.recipe.alone:
            self.targets.flush(self._place()[0])
        record = {
            "recipe": asdict(self.recipe),
            "step": self.step,
            "photos": len(self.views.photos),
        }
        statistics = cast(torch.Tensor, self.targets.statistics)
        checkpoint.save(self.file, self.student, self.optimisers, statistics, record)

    def _resume(self) -> int:
        record = checkpoint.read_record(self.file)
        wanted = asdict(self.recipe) | {"photos": len(self.views.photos)}
        there = record["recipe"] | {"photos": record["photos"]}
        fixed = wanted.keys() - set(FREE)
        different = {k: (there.get(k), wanted[k]) for k in fixed if there.get(k) != wanted[k]}
        if different:
            raise ValueError(
                f"{self.file} is another run: (there, asked) = {different}; "
                "choose another work folder"
            )
        statistics = checkpoint.load(self.file, self.student, self.optimisers)
        self.targets.statistics = statistics.to(self.device)
        return record["step"]

    def _place(self) -> tuple[int, int, bool]:
        """(view, block, whether the teacher was asked about it before) of the coming step."""
        first = -(-self.recipe.alone // self.views.batch)
        epoch, position = divmod(self.step - first, self.views.blocks)
        view = epoch % self.recipe.views if self.recipe.views else epoch
        return view, int(self.views.order(epoch)[position]), view != epoch

    def _alone(self) -> torch.Tensor:
        """Errors [parts 2] of the student's parts on the teacher's tokens of fresh views."""
        images = self.views.images(*divmod(self.step, self.views.blocks)).to(self.device)
        with torch.autocast(self.device.type, self.dtype, enabled=self.dtype != torch.float32):
            own_input = (images - 0.5) / 0.5
            teacher_input = self.targets.normalize(images)
            return parts.errors(
                self.student.backbone, self.targets.teacher, own_input, teacher_input
            )

    def _together(self) -> torch.Tensor:
        """Errors [3 2] of the whole student's tokens."""
        images, target = self._block()
        # One cast a step, and the optimiser still moves fp32 weights; autocast casts at every
        # layer, slower on a CPU.
        named = self.student.named_parameters()
        weights = {name: parameter.to(self.dtype) for name, parameter in named}
        predicted = self.predict(weights, images.to(self.device, self.dtype))
        return errors(predicted, target)

    def _block(self) -> tuple[torch.Tensor, torch.Tensor]:
        view, block, known = self._place()
        images = self.views.images(view, block)
        if known:
            return images, self.targets.remembered(view, block)
        return images, self.targets.fresh(view, block, images, remember=bool(self.recipe.views))

    def _groups(self) -> list[dict[str, Any]]:
        return [group for optimiser in self.optimisers for group in optimiser.param_groups]

    def _predict(self, weights: dict[str, torch.Tensor], images: torch.Tensor) -> torch.Tensor:
        return torch.func.functional_call(self.student, weights, (images,))

    def _descend(self, rows: torch.Tensor) -> tuple[float, float, float]:
        """A step down the mean of these errors; returns it, and the last row's two."""
        for group in self._groups():
            group["lr"] = self.recipe.rate(self.seen) * group["times"]
        loss = rows.mean()
        self.student.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.student.parameters(), 1.0)
        for optimiser in self.optimisers:
            optimiser.step()
        value, class_error, patch_error = torch.stack([loss, *rows[-1]]).tolist()
        return value, class_error, patch_error
