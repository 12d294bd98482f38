"""What a file holds of an adapter, and back.

A tensor is in the file as it is, under its own name, unless its delta (or head) has a `Codec`. All
matrices that have one are kept as two tensors together, in the order of the adapter's own names:

    codes        uint8 [sum of their bytes]           the bytes of each, one after the other
    statistics   float32 [number of matrices, K]      K numbers of each

`unpack` gives back the numbers that `forward` computed with, bit for bit. So a loaded adapter
quantises nothing: its deltas have no codec.
"""

from collections.abc import Iterator, Mapping
from copy import deepcopy
from typing import cast

import torch
from torch import Tensor

from ..contracts.errors import BadValue
from ..vit.seam import Codec, Quantised
from .adapter import Adapter

CODES = "codes"
STATISTICS = "statistics"


def codecs(adapter: Adapter) -> dict[str, Codec]:
    """The codec of each tensor that a file keeps quantised, by name, in the order of the file."""
    return {
        f"{path}.{name}": codec
        for path, module, codec in _quantised(adapter)
        for name in module.matrices
    }


def pack(adapter: Adapter) -> dict[str, Tensor]:
    """The tensors of the file, on the adapter's device; of a skeleton, their shapes and dtypes.

    Raises `BadValue` for an adapter whose matrices are dequantised: their codes are gone.
    """
    if adapter.unpacked:
        raise BadValue(
            "this adapter was read from a packed file and cannot be packed again.",
            "Use `AdapterFile.with_card`.",
        )
    state = adapter.state()
    codec_of = codecs(adapter)
    tensors = {name: tensor.detach() for name, tensor in state.items() if name not in codec_of}
    if codec_of:
        packed = [codec.pack(state[name].detach()) for name, codec in codec_of.items()]
        tensors[CODES] = torch.cat([data for data, _ in packed])
        tensors[STATISTICS] = torch.stack([statistics for _, statistics in packed])
    return tensors


def unpack(adapter: Adapter, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The state of `adapter`, which may be a skeleton, from the tensors of its file."""
    state = adapter.state()
    codec_of = codecs(adapter)
    result = {name: tensors[name] for name in state if name not in codec_of}
    start = 0
    for row, (name, codec) in enumerate(codec_of.items()):
        shape = state[name].shape
        end = start + codec.size(shape)
        result[name] = codec.unpack(tensors[CODES][start:end], tensors[STATISTICS][row], shape)
        start = end
    return result


def dequantized(adapter: Adapter) -> Adapter:
    """An adapter that computes the same and quantises nothing: a copy, or itself if it is one."""
    if not codecs(adapter):
        return adapter
    twin = deepcopy(adapter)
    with torch.no_grad():
        for name, codec in codecs(twin).items():
            parameter = twin.get_parameter(name)
            parameter.copy_(codec.quantise(parameter))
    return mark_dequantized(twin)


def mark_dequantized(adapter: Adapter) -> Adapter:
    """The same adapter, told to compute with its numbers as they are."""
    for _, module, _ in _quantised(adapter):
        module.codec = None
        adapter.unpacked = True
    return adapter


def _quantised(adapter: Adapter) -> Iterator[tuple[str, Quantised, Codec]]:
    """The modules that quantise their matrices, with their paths and codecs."""
    for path, module in adapter.named_modules():
        codec = getattr(module, "codec", None)
        if codec is not None:
            yield path, cast(Quantised, module), codec
