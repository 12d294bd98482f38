"""An adapter folded into its backbone: a folder that timm loads, with how pictures are prepared.

`timm.create_model("local-dir:FOLDER", pretrained=True)` makes the model, and
`timm.data.create_transform(**timm.data.resolve_model_data_config(model))` what pictures go through:
both are read from `config.json`, in timm's own format.
"""

import json
from collections.abc import Mapping
from typing import Any

from safetensors.torch import save as to_bytes

from ..adapters.adapter import Adapter
from ..adapters.merge import merged_tensors
from ..contracts.adapter_card import AdapterCard
from ..vit import Backbone


def to_timm(
    backbone: Backbone, adapter: Adapter, card: AdapterCard, arguments: Mapping[str, Any]
) -> dict[str, bytes]:
    """File name → content. `arguments` are those that the backbone was created with in timm.

    Raises `CannotMerge`.
    """
    tensors = merged_tensors(backbone, adapter)
    config = _config(backbone, card, arguments)
    return {
        "config.json": json.dumps(config, indent=2, ensure_ascii=False).encode(),
        "model.safetensors": to_bytes(tensors, {"format": "pt"}),
    }


def _config(backbone: Backbone, card: AdapterCard, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """As timm writes it for the Hub."""
    classes = len(card.classes)
    return {
        "architecture": backbone.anatomy.arch,
        "num_classes": classes,
        "num_features": backbone.anatomy.features,
        "model_args": {**arguments, "img_size": card.size},
        "label_names": list(card.classes),
        "pretrained_cfg": {
            "num_classes": classes,
            "input_size": [3, card.size, card.size],
            "fixed_input_size": True,
            "interpolation": "bicubic",
            "crop_pct": 1.0,
            "crop_mode": "squash",
            "mean": list(card.mean),
            "std": list(card.std),
            "classifier": backbone.anatomy.head,
        },
    }
