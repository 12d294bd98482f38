"""The frozen teacher: a timm VisionTransformer at the size it looks at."""

from pathlib import Path

import timm
import torch
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer


def load_teacher(
    name: str, weights: Path | None, size: int, device: torch.device
) -> VisionTransformer:
    """timm model `name` without its head, positions resampled to `size` px, frozen.

    weights: a local safetensors file under timm's names (any head is left out); None asks timm's
    hub. Raises `TypeError` when `name` is no plain VisionTransformer with a class token,
    `RuntimeError` when tensors do not fit.
    """
    model = timm.create_model(name, pretrained=weights is None, num_classes=0)
    if not isinstance(model, VisionTransformer) or model.cls_token is None:
        raise TypeError(
            f"{name} is a {type(model).__name__}; "
            "a teacher must be a VisionTransformer with a class token"
        )
    if weights is not None:
        tensors = load_file(weights)
        body = {key: t.float() for key, t in tensors.items() if not key.startswith("head.")}
        model.load_state_dict(body, strict=True)
    model.set_input_size(img_size=(size, size))
    return model.to(device).eval().requires_grad_(False)
