"""Views: block b of view v is a fixed set of photos, cropped in a fixed way; the seed decides both.

So a teacher's answer to a view can be remembered, and a run that resumes sees what it would have
seen.
"""

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F


@dataclass(frozen=True)
class Views:
    """Random crops of `photos` (uint8 [P 3 side side]) at `size` px, `batch` photos a block."""

    photos: np.ndarray
    batch: int
    size: int
    seed: int
    mosaics: float = 0.0
    """Which share of the views, about, shows four photos instead of one."""

    @property
    def blocks(self) -> int:
        """Blocks in a view; fewer photos than a batch are left over, others in the next view."""
        return len(self.photos) // self.batch

    def order(self, epoch: int) -> np.ndarray:
        """The order in which pass `epoch` visits the blocks."""
        return np.random.default_rng([self.seed, 1, epoch]).permutation(self.blocks)

    def images(self, view: int, block: int) -> torch.Tensor:
        """Block `block` of view `view`: float32 [batch 3 size size] in 0..1."""
        shuffled = np.random.default_rng([self.seed, 2, view]).permutation(len(self.photos))
        chosen = np.sort(shuffled[block * self.batch : (block + 1) * self.batch])
        pixels = torch.from_numpy(self.photos[chosen]).float() / 255
        rng = np.random.default_rng([self.seed, 3, view, block])
        views = augment(pixels, self.size, rng)
        if not self.mosaics:
            return views
        as_mosaic = torch.from_numpy(rng.random(len(views)) < self.mosaics).view(-1, 1, 1, 1)
        return torch.where(as_mosaic, mosaic(pixels, self.size, rng), views)


def augment(pixels: torch.Tensor, size: int, rng: np.random.Generator) -> torch.Tensor:
    """Random crop (30 to 100 % of the area, aspect 3:4 to 4:3), flip, sharpness and exposure.

    pixels: [B 3 H W] in 0..1. The whole batch goes through one bicubic `grid_sample`: torchvision's
    v2 transforms draw one crop a call and from the global generator.
    """
    count = len(pixels)
    # Enlarged small photos are softer than what people will bring: sharpen beyond the original.
    small = F.avg_pool2d(pixels, 2)
    soft = F.interpolate(small, size=pixels.shape[-2:], mode="bilinear", align_corners=False)
    pixels = torch.lerp(soft, pixels, _column(rng.uniform(0.6, 2.2, count)))
    grid = F.affine_grid(_crops(count, rng), [count, 3, size, size], align_corners=False)
    views = F.grid_sample(pixels, grid, mode="bicubic", padding_mode="border", align_corners=False)
    gain = _column(rng.uniform(0.75, 1.25, count))
    lift = _column(rng.uniform(-0.12, 0.12, count))
    return views.sub_(0.5).mul_(gain).add_(lift + 0.5).clamp_(0, 1)


def mosaic(pixels: torch.Tensor, size: int, rng: np.random.Generator) -> torch.Tensor:
    """Each image four crops of other photos, two by two: [B 3 size size].

    A small photo enlarged to `size` has no fine detail, one shrunk to half of it has: what people
    bring is sharp.
    """
    tiles = []
    for _ in range(4):
        crops = augment(pixels, size // 2, rng)
        tiles.append(crops[rng.permutation(len(pixels))])
    upper = torch.cat(tiles[:2], dim=3)
    lower = torch.cat(tiles[2:], dim=3)
    return torch.cat([upper, lower], dim=2)


def _crops(count: int, rng: np.random.Generator) -> torch.Tensor:
    """Affine maps [B 2 3] from a view's square to its crop, both in -1..1."""
    area = rng.uniform(0.3, 1, count)
    aspect = np.exp(rng.uniform(np.log(3 / 4), np.log(4 / 3), count))
    width = np.minimum(np.sqrt(area * aspect), 1)
    height = np.minimum(np.sqrt(area / aspect), 1)
    maps = np.zeros((count, 2, 3), dtype=np.float32)
    maps[:, 0, 0] = width * rng.choice([-1, 1], count)
    maps[:, 1, 1] = height
    maps[:, 0, 2] = (1 - width) * rng.uniform(-1, 1, count)
    maps[:, 1, 2] = (1 - height) * rng.uniform(-1, 1, count)
    return torch.from_numpy(maps)


def _column(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32)).view(-1, 1, 1, 1)
