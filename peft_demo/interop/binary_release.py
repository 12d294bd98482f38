"""The 1-bit files of the paper's own release, read as packed adapters of ours, bit for bit.

Jie et al., ICCV 2023 (see `methods/bi`), as `binary_adapter` of github.com/JieShibo/PETL-ViT writes them. Such a
file is raw: no header, no names, no pickle. It is read as numbers only, at places that follow from method, knobs,
backbone and classes alone, and its length must be theirs to the byte, so nothing in it can run or point anywhere.
Block by block, for each matrix (Bi-LoRA: q down, q up, v down, v up; Bi-AdaptFormer: down, up), little-endian:

    codes   uint8 [n · bits / 8]    element j of a byte takes its bits from j · bits on, as here
    μ, σ    float32                 mean and standard deviation, n − 1 in its denominator

then a 1-bit head the same way, or a plain one as float32: weight [C D], bias [C]. The scale s is not in the file.
The release trains on images from 0 to 1 without any normalisation, so an adapter read here wants mean 0 and std 1.
"""

import torch
from torch import Tensor

from ..adapters.adapter import Adapter
from ..adapters.codec import CODES, STATISTICS, codecs
from ..contracts.errors import BadAdapter, BadValue

METHODS = ("bi_lora", "bi_adaptformer")
BITS = (1, 2, 4)
"""Of a weight. The release's 8-bit levels stop short of the k-medians; those of `methods/bi` come closer."""

MEAN = (0.0, 0.0, 0.0)
STD = (1.0, 1.0, 1.0)


def from_binary_release(data: bytes, adapter: Adapter) -> dict[str, Tensor]:
    """The tensors of our file for `adapter` (a skeleton will do). `BadAdapter` if the length is not exactly its own."""
    config = adapter.config
    codec_of = codecs(adapter)
    state = adapter.state()
    if config.bits not in BITS:
        raise BadValue(
            f"the release's files are read with 1, 2 or 4 bits, not {config.bits}.",
            "Add --set bits=1.",
        )
    _check_length(data, adapter)
    raw = torch.frombuffer(bytearray(data), dtype=torch.uint8)
    at = 0
    codes = []
    statistics = []
    for name, codec in codec_of.items():
        end = at + codec.size(state[name].shape)
        codes.append(raw[at:end])
        statistics.append(_floats(raw[end : end + 8]))
        at = end + 8
    held = {CODES: torch.cat(codes), STATISTICS: torch.stack(statistics)}
    for name in (n for n in state if n not in codec_of):
        end = at + 4 * state[name].numel()
        held[name] = _floats(raw[at:end]).view(state[name].shape)
        at = end
    return held


def _check_length(data: bytes, adapter: Adapter) -> None:
    codec_of = codecs(adapter)
    config = adapter.config
    wanted = sum(
        codec_of[n].size(t.shape) + 8 if n in codec_of else 4 * t.numel()
        for n, t in adapter.state().items()
    )
    if len(data) != wanted:
        knobs = f"hidden={config.hidden}, bits={config.bits}, head_bits={config.head_bits}"
        raise BadAdapter(
            f"this file has {len(data):,} bytes; {adapter.method.name} with {knobs} and {adapter.head.out_features}"
            f" classes takes {wanted:,} on this backbone.",
            "Set the knobs with --set (its name says `dim`, `bit` and `bihead`), or name the backbone.",
        )


def _floats(raw: Tensor) -> Tensor:
    return raw.clone().view(torch.float32)
