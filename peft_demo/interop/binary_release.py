"""The 1-bit files of the paper's own release, read as packed adapters of ours, bit for bit.

Jie et al., ICCV 2023 (see `methods/bi`), as `binary_adapter` of github.com/JieShibo/PETL-ViT
writes them. Such a file is raw: no header, no names, no pickle. It is read as numbers only, at
places that follow from method, knobs, backbone and classes alone, and its length must match to the
byte, so nothing in it can run or point anywhere. It holds, block by block, for each matrix
(Bi-LoRA: q down, q up, v down, v up; Bi-AdaptFormer: down, up), little-endian:

    codes   uint8 [n · bits / 8]    element j of a byte takes its bits from j · bits on, as ours
    μ, σ    float32                 mean and standard deviation, n − 1 in its denominator

then the head: 1-bit in the same way, or plain float32 weight [C D] and bias [C]. The scale s is not
in the file. The release trains on images from 0 to 1 without normalisation, so an adapter read here
has mean 0 and std 1.
"""

import torch
from torch import Tensor

from ..adapters.adapter import Adapter
from ..adapters.codec import CODES, STATISTICS, codecs
from ..contracts.errors import BadAdapter, BadValue

METHODS = ("bi_lora", "bi_adaptformer")
BITS = (1, 2, 4)
"""Of a weight. The release's 8-bit levels are less exact than those of `methods/bi`."""

MEAN = (0.0, 0.0, 0.0)
STD = (1.0, 1.0, 1.0)

STATISTICS_BYTES = 8
"""μ and σ."""


def from_binary_release(content: bytes, adapter: Adapter) -> dict[str, Tensor]:
    """The tensors of our file for `adapter`, which may be on the meta device.

    Raises `BadAdapter` if the length of `content` is not what `adapter` takes.
    """
    if adapter.config.bits not in BITS:
        raise BadValue(
            f"the release's files are read with 1, 2 or 4 bits, not {adapter.config.bits}.",
            "Add --set bits=1.",
        )
    _check_length(content, adapter)
    raw = torch.frombuffer(bytearray(content), dtype=torch.uint8)
    packed = codecs(adapter)
    state = adapter.state()
    codes = []
    statistics = []
    start = 0
    for name in packed:
        end = start + packed[name].size(state[name].shape)
        codes.append(raw[start:end])
        start = end + STATISTICS_BYTES
        statistics.append(_floats(raw[end:start]))
    tensors = {CODES: torch.cat(codes), STATISTICS: torch.stack(statistics)}
    for name, tensor in state.items():
        if name not in packed:
            end = start + 4 * tensor.numel()
            tensors[name] = _floats(raw[start:end]).view(tensor.shape)
            start = end
    return tensors


def _check_length(content: bytes, adapter: Adapter) -> None:
    packed = codecs(adapter)
    expected = 0
    for name, tensor in adapter.state().items():
        if name in packed:
            expected += packed[name].size(tensor.shape) + STATISTICS_BYTES
        else:
            expected += 4 * tensor.numel()
    if len(content) != expected:
        config = adapter.config
        knobs = f"hidden={config.hidden}, bits={config.bits}, head_bits={config.head_bits}"
        raise BadAdapter(
            f"this file has {len(content):,} bytes; {adapter.method.name} with {knobs} and"
            f" {adapter.head.out_features} classes takes {expected:,} on this backbone.",
            "Set the knobs with --set (its name says `dim`, `bit` and `bihead`), or name the"
            " backbone.",
        )


def _floats(raw: Tensor) -> Tensor:
    return raw.clone().view(torch.float32)
