"""The storage codec: what a file holds of an adapter, and back.

An ordinary tensor is in the file as it is, under its own name. The `matrices` of a delta (or head) that computes with
`bits` below 32 are there as two tensors for all of them together, in the order of the adapter's own names:

    codes        uint8 [sum of ⌈n · bits / 8⌉]      element j of a byte takes its bits from j · bits on
    statistics   float32 [number of matrices, 2]    mean and standard deviation

`unpack` gives back the numbers `forward` computed with, bit for bit, so a loaded adapter is a plain one: its deltas say
32 bits and quantise nothing.
"""

from collections.abc import Mapping
from copy import deepcopy

import torch
from torch import Tensor

from ..contracts.errors import BadValue
from ..methods.bi import FULL, codes, decoded, quantised, standardised
from .adapter import Adapter

CODES = "codes"
STATISTICS = "statistics"


def packed_bits(adapter: Adapter) -> dict[str, int]:
    """Bits of each tensor that a file keeps in fewer than 32, by name."""
    quantising = [
        (path, m) for path, m in adapter.named_modules() if getattr(m, "bits", FULL) < FULL
    ]
    return {f"{path}.{name}": m.bits for path, m in quantising for name in m.matrices}


def pack(adapter: Adapter) -> dict[str, Tensor]:
    """The tensors of the file, on the adapter's device; of a skeleton, their shapes and dtypes.

    `BadValue` for an adapter that `unquantised` has made plain: its codes are gone.
    """
    if adapter.unpacked:
        raise BadValue(
            "this adapter was read from a packed file and cannot be packed again.",
            "Use `AdapterFile.with_card`.",
        )
    state = adapter.state()
    bits = packed_bits(adapter)
    held = {name: t.detach() for name, t in state.items() if name not in bits}
    if bits:
        parts = [standardised(state[name].detach()) for name in bits]
        held[CODES] = torch.cat(
            [
                _bytes(codes(z, b).flatten(), b)
                for (z, _, _), b in zip(parts, bits.values(), strict=True)
            ]
        )
        held[STATISTICS] = torch.stack([torch.stack((mean, std)) for _, mean, std in parts])
    return held


def unpack(adapter: Adapter, held: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of `adapter` (a skeleton will do) from the tensors of a file that `pack` would write for it."""
    state = adapter.state()
    bits = packed_bits(adapter)
    at = 0
    found = {name: held[name] for name in state if name not in bits}
    for (name, b), (mean, std) in zip(bits.items(), held[STATISTICS] if bits else (), strict=True):
        shape = state[name].shape
        size = _size(shape.numel(), b)
        found[name] = decoded(
            _codes(held[CODES][at : at + size], b)[: shape.numel()], mean, std, b
        ).view(shape)
        at += size
    return found


def dequantized(adapter: Adapter) -> Adapter:
    """An adapter that computes the same and quantises nothing: a copy where there was something, else itself."""
    if not packed_bits(adapter):
        return adapter
    twin = deepcopy(adapter)
    with torch.no_grad():
        for name, bits in packed_bits(twin).items():
            parameter = twin.get_parameter(name)
            parameter.copy_(quantised(parameter, bits))
    return mark_dequantized(twin)


def mark_dequantized(adapter: Adapter) -> Adapter:
    """The adapter itself, told to compute with its numbers as they are."""
    for module in adapter.modules():
        if getattr(module, "bits", FULL) < FULL:
            module.bits = FULL
            adapter.unpacked = True
    return adapter


def _size(n: int, bits: int) -> int:
    return -(-n * bits // 8)


def _bytes(codes: Tensor, bits: int) -> Tensor:
    """Codes [n] → uint8 [⌈n · bits / 8⌉]."""
    per_byte = 8 // bits
    padded = torch.nn.functional.pad(codes, (0, -len(codes) % per_byte)).view(-1, per_byte)
    return (padded << _shifts(codes, bits)).sum(dim=1).to(torch.uint8)


def _codes(bytes: Tensor, bits: int) -> Tensor:
    """uint8 [m] → codes [m · 8 / bits]."""
    return (bytes[:, None].long() >> _shifts(bytes, bits)).bitwise_and(2**bits - 1).flatten()


def _shifts(like: Tensor, bits: int) -> Tensor:
    return torch.arange(0, 8, bits, device=like.device)
