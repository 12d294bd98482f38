"""Fixtures the whole suite shares."""

import os
from pathlib import Path

import pytest
from small import random_vit

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")


@pytest.fixture(scope="session")
def tiny():
    """A random ViT: 2 blocks, width 48, 3 heads, 32 px in patches of 8 (16 patch tokens and a class token)."""
    return random_vit()


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
