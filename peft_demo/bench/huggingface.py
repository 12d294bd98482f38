"""huggingface/peft on the same backbone, for the benchmarks to stand beside; None where it is not installed."""

from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path

import timm
import torch
from torch import Tensor, nn

from ..vit.catalogue import Source

RANK = 8


class Peft:
    """LoRA of rank 8 on timm's fused qkv and a head of its own, by `peft`, under the names "0", "1", ..."""

    def __init__(self, model: nn.Module, adapters: int):
        from peft import LoraConfig, get_peft_model

        self._config = LoraConfig(
            r=RANK,
            lora_alpha=RANK,
            target_modules=["qkv"],
            modules_to_save=["head"],
            init_lora_weights=False,
        )
        self.model = get_peft_model(model, self._config, adapter_name="0")
        for n in range(1, adapters):
            self.model.add_adapter(str(n), deepcopy(self._config))
        self.model.eval()

    def choose(self, number: int) -> None:
        self.model.set_adapter(str(number))

    def save(self, folder: Path) -> Path:
        """Writes adapter "0" as peft does; where it lies."""
        self.model.save_pretrained(folder, selected_adapters=["0"])
        return folder / "0" if (folder / "0").is_dir() else folder

    def load(self, folder: Path, name: str) -> None:
        self.model.load_adapter(str(folder), name)

    def unload(self, name: str) -> None:
        self.model.delete_adapter(name)

    def answer(self, images: Tensor) -> Tensor:
        return self.model(images)

    def answer_mixed(self, images: Tensor, numbers: Sequence[int]) -> Tensor:
        return self.model(images, adapter_names=[str(n) for n in numbers])


def peft(
    source: Source, size: int, classes: int, adapters: int, device: torch.device
) -> Peft | None:
    """peft around a model of its own with the same random weights, on `device`; None if peft is not installed."""
    try:
        import peft as _  # noqa: F401
    except ImportError:
        return None
    torch.manual_seed(0)
    kwargs = dict(source.kwargs) | ({"img_size": size} if size else {})
    found = Peft(
        timm.create_model(source.arch, pretrained=False, num_classes=classes, **kwargs), adapters
    )
    found.model.to(device)
    return found
