"""The precision in which a run learns: bf16 where the device has matrix units for it, else fp32.

CUDA devices from Ampere on and CPUs with AMX (Intel's, from Sapphire Rapids on) multiply bf16
matrices several times as fast as fp32 ones. Weights, gradients and the optimizer stay in fp32, and
so does the test at the end: an adapter answers in fp32.
"""

import torch
from torch import nn


def autocast(device: torch.device) -> torch.autocast:
    """A context in which matrices are multiplied in bf16, if this device is faster at it."""
    return torch.autocast(device.type, torch.bfloat16, enabled=_has_fast_bf16(device))


def disable_slow_fused_attention(model: nn.Module, device: torch.device) -> nn.Module:
    """Turns off timm's fused attention on bf16 CPUs, where its backward pass is slower.

    Returns `model` itself. A step takes 248 ms without it against 447 (ViT-Ti, 112 px, batch 32,
    LoRA, one thread of a Xeon with AMX).
    """
    if device.type == "cpu" and _has_fast_bf16(device):
        for module in model.modules():
            if "fused_attn" in vars(module):
                vars(module)["fused_attn"] = False
    return model


def _has_fast_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # torch 2.10 and newer
        return torch.cpu.get_capabilities().get("amx_bf16", False)
    return False
