"""What ships: one small weights file that timm alone can load, and its card."""

from pathlib import Path

import torch

import peft_demo
from peft_demo.pretrain.weights import read_weights

BUNDLED = Path(peft_demo.__file__).parent / "vit" / "bundled"


def test_the_bundled_backbone_is_small_loads_strictly_and_has_a_card():
    (file,) = BUNDLED.glob("*.safetensors")
    assert file.stat().st_size <= 12e6
    with torch.inference_mode():
        features = read_weights(file)(torch.zeros(1, 3, 112, 112))
    assert features.isfinite().all() and features.shape == (1, 192)
    card = file.with_suffix(".md").read_text("utf-8")
    assert "Apache-2.0" in card and "Teacher" in card and "| trashnet |" in card
