"""A picture in grey, and over it in colour how much each place of it matters."""

import torch
from PIL import Image
from torch import Tensor

COLOUR = "#f0420f"
OPAQUE = 0.8
"""How much of the colour covers the place that matters most."""


def heat_map(pixels: Tensor, strengths: Tensor) -> Image.Image:
    """RGB, S pixels square, of a picture, uint8 [3 S S], and strengths [R C] from 0 to 1."""
    picture = Image.fromarray(pixels.permute(1, 2, 0).cpu().numpy())
    grey = picture.convert("L").convert("RGB")
    levels = (255 * OPAQUE * strengths).round().to(torch.uint8)
    cover = Image.fromarray(levels.cpu().numpy()).resize(grey.size, Image.Resampling.BILINEAR)
    return Image.composite(Image.new("RGB", grey.size, COLOUR), grey, cover)
