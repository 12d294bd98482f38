"""The precision in which a run learns: bf16 where this machine is faster at it, else fp32.

GPUs from Ampere on, CPUs with AMX and CPUs with AVX-512 bf16 multiply bf16 matrices two to many
times as fast as fp32 ones; others do it slower. So it is measured, not looked up in a list.
Weights, gradients and the optimizer stay in fp32, and so does the test at the end: an adapter
answers in fp32.
"""

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter

import torch
from torch import Tensor, nn

FP32 = "fp32"
BF16 = "bf16"
AUTO = "auto"
WORTH = 0.8
"""bf16 is taken if its products take less than this share of the time in fp32. The shares that were
measured lie far from it: 0.5 with AVX-512 bf16, above 1 without units for bf16."""
_ROWS = 512
"""Tokens that are multiplied to measure: a few milliseconds."""
_TURNS = 7


def choose(wanted: str, device: torch.device, width: int) -> str:
    """The precision of a run on a backbone with tokens of this `width`: the one that is `wanted`,
    and for "auto" the one that this device multiplies faster in."""
    return faster(device, width) if wanted == AUTO else wanted


@lru_cache
def faster(device: torch.device, width: int) -> str:
    """BF16 or FP32, measured once in a process: tokens [512 D] times a matrix [D 4·D] in both.

    The fastest of several turns counts, so that a machine that is busy meanwhile measures the same.
    """
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return FP32
    x = torch.ones(_ROWS, width, device=device)
    W = torch.ones(4 * width, width, device=device)
    half = x.bfloat16(), W.bfloat16()
    with torch.inference_mode():
        turns = [(_seconds(product, x, W), _seconds(product, *half)) for _ in range(_TURNS)]
    full_time, half_time = map(min, zip(*turns, strict=True))
    return BF16 if half_time < WORTH * full_time else FP32


def product(x: Tensor, W: Tensor) -> Tensor:
    """x Wᵀ: what nearly all the time of a step goes to."""
    return nn.functional.linear(x, W)


def _seconds(call: Callable[[Tensor, Tensor], Tensor], x: Tensor, W: Tensor) -> float:
    start = perf_counter()
    call(x, W)
    getattr(torch, x.device.type).synchronize()
    return perf_counter() - start


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """A context in which matrices are multiplied in this precision, FP32 or BF16."""
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == BF16)


def disable_slow_fused_attention(
    model: nn.Module, device: torch.device, precision: str
) -> nn.Module:
    """Turns off timm's fused attention for bf16 on a CPU, where its backward pass is slower.

    Returns `model` itself. A LoRA step takes 384 ms without it against 515 (ViT-Ti, 224 px, batch
    16, two threads of a Zen 4), and 248 against 447 (112 px, batch 32, one thread of a Xeon with
    AMX).
    """
    if device.type == "cpu" and precision == BF16:
        for module in model.modules():
            if "fused_attn" in vars(module):
                vars(module)["fused_attn"] = False
    return model
