"""huggingface/peft on the same backbone, for the benchmarks to stand beside."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import torch
from torch import Tensor, nn

from ..vit.source import Source
from .random_models import random_timm

RANK = 8


class Peft:
    """LoRAs by `peft` on timm's fused qkv, each with a head of its own, named "0", "1", ..."""

    def __init__(self, model: nn.Module, adapters: int):
        from peft import LoraConfig, get_peft_model

        config = LoraConfig(
            r=RANK,
            lora_alpha=RANK,
            target_modules=["qkv"],
            modules_to_save=["head"],
            init_lora_weights=False,
        )
        self.model = get_peft_model(model, config, adapter_name="0")
        for n in range(1, adapters):
            self.model.add_adapter(str(n), deepcopy(config))
        self.model.eval()

    def choose(self, number: int) -> None:
        """Makes this adapter the one that answers."""
        self.model.set_adapter(str(number))

    def save(self, folder: Path) -> Path:
        """Writes adapter "0" as peft does; where it lies."""
        self.model.save_pretrained(str(folder), selected_adapters=["0"])
        return folder / "0" if (folder / "0").is_dir() else folder

    def load(self, folder: Path, name: str) -> None:
        """Loads an adapter from a folder, beside those that are there."""
        self.model.load_adapter(str(folder), name)

    def unload(self, name: str) -> None:
        """Removes an adapter."""
        self.model.delete_adapter(name)

    def answer(self, images: Tensor) -> Tensor:
        """Images [B 3 S S] → logits [B C] of the adapter that was chosen."""
        return self.model(images)

    def answer_mixed(self, images: Tensor, numbers: Sequence[int]) -> Tensor:
        """Images [B 3 S S] → logits [B C], each image by the adapter of its number."""
        return self.model(images, adapter_names=[str(n) for n in numbers])


def trained_peft(source: Source, size: int, classes: int, device: torch.device) -> nn.Module | None:
    """peft's LoRA as people train it, on timm's fused qkv and on proj, with a head; random weights.

    It trains as many numbers as `lora:targets=q+k+v+proj` with rank 8, less the two products that a
    fused qkv shares. None if peft is not installed.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError:
        return None
    config = LoraConfig(
        r=RANK,
        lora_alpha=RANK,
        target_modules=["qkv", "attn.proj"],
        modules_to_save=["head"],
    )
    return get_peft_model(random_timm(source, classes, size), config).to(device)


def build_peft(
    source: Source, size: int, classes: int, adapters: int, device: torch.device
) -> Peft | None:
    """peft around a model of its own, random weights on `device`; None if it is not installed."""
    try:
        import peft  # noqa: F401
    except ImportError:
        return None
    torch.manual_seed(0)
    theirs = Peft(random_timm(source, classes, size), adapters)
    theirs.model.to(device)
    return theirs
