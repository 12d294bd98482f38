"""The teacher's tokens for a view: three depths, standardised by channel, kept on disk as fp16."""

from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import torch.nn.functional as F
from timm.models.vision_transformer import VisionTransformer

from .views import Views

SURVEYED_BLOCKS = 8


def depths(model: VisionTransformer) -> list[int]:
    """The blocks (from 0) that end the first third, the second third and the whole of the model."""
    count = len(model.blocks)
    return [max(round(count * part / 3), 1) - 1 for part in (1, 2, 3)]


def tokens(model: VisionTransformer, images: torch.Tensor) -> torch.Tensor:
    """Class token and patch tokens at `depths(model)`, the last after the final norm: [3 B 1+N D].

    images: [B 3 H W], already normalised.
    """
    outputs = model.forward_intermediates(
        images, indices=depths(model)[:-1], return_prefix_tokens=True, output_fmt="NLC"
    )
    last, inner = cast(tuple[torch.Tensor, Any], outputs)
    kept = [torch.cat([prefix[:, :1], patches], dim=1) for patches, prefix in inner]
    kept.append(torch.cat([last[:, :1], last[:, model.num_prefix_tokens :]], dim=1))
    return torch.stack(kept)


class Targets:
    """The teacher's standardised tokens of every view: computed once, then read from disk.

    teacher: a frozen timm VisionTransformer; size: the px it looks at (its patches are pooled to
    the student's `grid`); statistics: [2 3 2 D], mean and deviation by depth, for the class token
    and for patches.
    """

    def __init__(
        self,
        teacher: VisionTransformer,
        views: Views,
        size: int,
        grid: int,
        work: Path,
        dtype: torch.dtype,
    ):
        self.device = next(teacher.parameters()).device
        self.teacher = teacher.to(dtype)
        self.views = views
        self.size = size
        self.grid = grid
        self.work = Path(work)
        self.dtype = dtype
        self.statistics: torch.Tensor | None = None
        self.stores: dict[int, np.memmap] = {}

    def survey(self) -> torch.Tensor:
        """Statistics [2 3 2 D] over the first blocks of view 0."""
        blocks = range(min(SURVEYED_BLOCKS, self.views.blocks))
        seen = torch.cat([self._ask(self.views.images(0, block)) for block in blocks], dim=1)
        groups = [seen[:, :, :1].flatten(1, 2), seen[:, :, 1:].flatten(1, 2)]
        mean = torch.stack([group.mean(1) for group in groups], dim=1)
        deviation = torch.stack([group.std(1) for group in groups], dim=1)
        return torch.stack([mean, deviation.clamp_min(1e-4)])

    def fresh(self, view: int, block: int, images: torch.Tensor, remember: bool) -> torch.Tensor:
        """Asks the teacher about `images`, block `block` of `view`: fp16 [3 B 1+N D]."""
        mean, deviation = cast(torch.Tensor, self.statistics)
        answer = self._ask(images) - self._by_token(mean)[:, None]
        answer = (answer / self._by_token(deviation)[:, None]).half()
        if remember:
            self._store(view)[block] = answer.cpu().numpy()
        return answer

    def remembered(self, view: int, block: int) -> torch.Tensor:
        """What `fresh` returned for this block in an earlier pass: the same bits."""
        return torch.from_numpy(self._store(view)[block]).to(self.device)

    def flush(self, view: int) -> None:
        """The remembered answers of `view` are on disk afterwards."""
        self._store(view).flush()

    def normalize(self, images: torch.Tensor) -> torch.Tensor:
        """images [B 3 H W] in 0..1 → as the teacher was trained on."""
        config = cast(dict[str, Any], self.teacher.pretrained_cfg)
        mean = torch.tensor(config["mean"], device=self.device)
        deviation = torch.tensor(config["std"], device=self.device)
        return (images - mean.view(-1, 1, 1)) / deviation.view(-1, 1, 1)

    @torch.no_grad()
    def _ask(self, images: torch.Tensor) -> torch.Tensor:
        images = images.to(self.device)
        if images.shape[-1] != self.size:
            images = F.interpolate(images, size=self.size, mode="bicubic", align_corners=False)
            images = images.clamp(0, 1)
        pixels = self.normalize(images).to(self.dtype)
        return self._pool(tokens(self.teacher, pixels).float())

    def _pool(self, grid_tokens: torch.Tensor) -> torch.Tensor:
        """Patches [3 B M D] of the teacher averaged onto the student's grid."""
        side = int((grid_tokens.shape[2] - 1) ** 0.5)
        if side == self.grid:
            return grid_tokens
        patches = grid_tokens[:, :, 1:].flatten(0, 1).transpose(1, 2)
        pooled = F.adaptive_avg_pool2d(patches.unflatten(2, (side, side)), self.grid)
        pooled = pooled.flatten(2).transpose(1, 2).unflatten(0, grid_tokens.shape[:2])
        return torch.cat([grid_tokens[:, :, :1], pooled], dim=2)

    def _by_token(self, statistic: torch.Tensor) -> torch.Tensor:
        """[3 2 D], for class token and patches, spread over the tokens: [3 1+N D]."""
        patches = statistic[:, 1:].expand(-1, self.grid**2, -1)
        return torch.cat([statistic[:, :1], patches], 1)

    def _store(self, view: int) -> np.memmap:
        if view not in self.stores:
            self.stores[view] = self._open(view)
        return self.stores[view]

    def _open(self, view: int) -> np.memmap:
        path = self.work / f"targets_{view}.npy"
        shape = (self.views.blocks, 3, self.views.batch, 1 + self.grid**2, self.teacher.embed_dim)
        if path.exists():
            store = np.lib.format.open_memmap(path, mode="r+")
            if store.shape == shape:
                return store
        return np.lib.format.open_memmap(path, mode="w+", dtype=np.float16, shape=shape)
