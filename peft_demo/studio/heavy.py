"""What takes seconds to import, as it stands on torch, timm or huggingface_hub: loaded when
something is first asked of it. So the page, and the commands that only list, are there at once.
"""

from typing import TYPE_CHECKING

from ..lazy import LazyModule

if TYPE_CHECKING:
    import torch
    from safetensors import torch as safetensors_torch

    from .. import adapters, inference, interop, training
    from ..data import few_shot_tensors
    from ..inference import data_map, scoring, strengths, together
    from . import adapter_upload, hub_client, hub_upload, merged
else:
    torch = LazyModule("torch")
    safetensors_torch = LazyModule("safetensors.torch")
    adapters = LazyModule("peft_demo.adapters")
    inference = LazyModule("peft_demo.inference")
    interop = LazyModule("peft_demo.interop")
    training = LazyModule("peft_demo.training")
    few_shot_tensors = LazyModule("peft_demo.data.few_shot_tensors")
    data_map = LazyModule("peft_demo.inference.data_map")
    scoring = LazyModule("peft_demo.inference.scoring")
    strengths = LazyModule("peft_demo.inference.strengths")
    together = LazyModule("peft_demo.inference.together")
    adapter_upload = LazyModule("peft_demo.studio.adapter_upload")
    hub_client = LazyModule("peft_demo.studio.hub_client")
    hub_upload = LazyModule("peft_demo.studio.hub_upload")
    merged = LazyModule("peft_demo.studio.merged")

__all__ = [
    "adapter_upload",
    "adapters",
    "data_map",
    "few_shot_tensors",
    "hub_client",
    "hub_upload",
    "inference",
    "interop",
    "merged",
    "safetensors_torch",
    "scoring",
    "strengths",
    "together",
    "torch",
    "training",
]
