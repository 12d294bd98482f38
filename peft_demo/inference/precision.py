"""In which precision a run learns: bf16 where the device has matrix units for it, fp32 elsewhere.

CUDA devices from Ampere on and CPUs with AMX (Intel's, from Sapphire Rapids on) multiply bf16 matrices several times as
fast as fp32 ones. Weights, gradients and the optimizer stay in fp32, and so does the test at the end: an adapter
answers in fp32.
"""

import torch
from torch import nn


def autocast(device: torch.device) -> torch.autocast:
    """A context in which products are taken in bf16, if this device is faster at them."""
    return torch.autocast(device.type, torch.bfloat16, enabled=_fast(device))


def disable_slow_fused_attention(model: nn.Module, device: torch.device) -> nn.Module:
    """The attached model itself, its attention in plain products where the fused one is slow to learn through.

    That is bf16 on the CPU: 248 ms a step against 447 (ViT-Ti, 112 px, batch 32, LoRA, one thread of a Xeon with AMX).
    """
    if device.type == "cpu" and _fast(device):
        for module in model.modules():
            if hasattr(module, "fused_attn"):
                module.fused_attn = False
    return model


def _fast(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    if device.type == "cpu" and hasattr(torch.cpu, "get_capabilities"):  # torch 2.10 and newer
        return torch.cpu.get_capabilities().get("amx_bf16", False)
    return False
