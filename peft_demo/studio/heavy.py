"""What takes seconds to import, as it stands on torch, timm or huggingface_hub: loaded when
something is first asked of it. So the page, and the commands that only list, are there at once.
"""

from typing import TYPE_CHECKING

from ..lazy import LazyModule

if TYPE_CHECKING:
    import torch

    from .. import adapters, inference, interop, training
    from ..data import few_shot_tensors
    from ..inference import data_map, probes, scoring, strengths, together
    from . import adapter_upload, hub_client, hub_upload, merged, space_upload, verification
else:
    torch = LazyModule("torch")
    adapters = LazyModule("peft_demo.adapters")
    inference = LazyModule("peft_demo.inference")
    interop = LazyModule("peft_demo.interop")
    training = LazyModule("peft_demo.training")
    few_shot_tensors = LazyModule("peft_demo.data.few_shot_tensors")
    data_map = LazyModule("peft_demo.inference.data_map")
    probes = LazyModule("peft_demo.inference.probes")
    scoring = LazyModule("peft_demo.inference.scoring")
    strengths = LazyModule("peft_demo.inference.strengths")
    together = LazyModule("peft_demo.inference.together")
    adapter_upload = LazyModule("peft_demo.studio.adapter_upload")
    hub_client = LazyModule("peft_demo.studio.hub_client")
    hub_upload = LazyModule("peft_demo.studio.hub_upload")
    merged = LazyModule("peft_demo.studio.merged")
    space_upload = LazyModule("peft_demo.studio.space_upload")
    verification = LazyModule("peft_demo.studio.verification")

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
    "probes",
    "scoring",
    "space_upload",
    "strengths",
    "together",
    "torch",
    "training",
    "verification",
]
