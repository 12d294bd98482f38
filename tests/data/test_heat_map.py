"""A picture in grey, with colour where it matters."""

import numpy as np
import torch

from peft_demo.data.heat_map import heat_map


def test_colour_lies_where_it_matters_and_nowhere_else():
    pixels = torch.full((3, 64, 64), 128, dtype=torch.uint8)
    pixels[0] = 200
    strengths = torch.zeros(8, 8)
    strengths[:2, :2] = 1
    drawn = np.asarray(heat_map(pixels, strengths)).astype(int)
    assert drawn.shape == (64, 64, 3)
    corner, far = drawn[2, 2], drawn[60, 60]
    assert corner[0] - corner[2] > 150
    assert far[0] == far[1] == far[2]
