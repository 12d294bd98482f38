"""Small random backbones and images that the whole suite shares."""

import os
from pathlib import Path

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


@pytest.fixture(scope="session")
def tiny():
    """A random ViT: 2 blocks, width 48, 3 heads, 32 px in patches of 8 (16 patch tokens and a class token)."""
    return random_vit()


def random_vit(depth: int = 2, width: int = 48, seed: int = 0, **kwargs):
    """A random Vision Transformer as a backbone, its norms and biases away from their constants."""
    import timm
    import torch

    from peft_demo.vit import wrap

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        shape = {"img_size": 32, "patch_size": 8, "embed_dim": width, "depth": depth, "num_heads": 3} | kwargs
        model = timm.create_model("vit_tiny_patch16_224", num_classes=0, **shape)
        for p in model.parameters():
            p.data += 0.05 * torch.randn_like(p)
    return wrap(model, "tiny", "vit_tiny_patch16_224")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """An empty PEFT_DEMO_HOME."""
    monkeypatch.setenv("PEFT_DEMO_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="session")
def assets() -> Path:
    """The folder of optional real weights and photos, named by PEFT_DEMO_ASSETS; skips where it is not set."""
    folder = os.environ.get("PEFT_DEMO_ASSETS", "")
    if not folder or not Path(folder).is_dir():
        pytest.skip("PEFT_DEMO_ASSETS does not name a folder with real weights and photos")
    return Path(folder)
