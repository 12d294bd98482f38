"""Names of tensors in other programs, turned into timm's.

| written by | what differs |
|---|---|
| transformers (ViT, DeiT, DINOv2) | every name; q, k and v are three linears |
| DINOv2's own code | gated MLPs `w12`, `w3`; registers, see below |
| DeiT III's own code | layer scales `gamma_1`, `gamma_2` |
| Swin's own code | patches are merged at the end of a stage, in timm at the start of the next |

DINOv2 with registers gives the class token a position of its own. timm adds that position to the
class token, once and for all: cls_token + pos_embed[:, 0].
"""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

Table = tuple[tuple[str, str], ...]
"""Regular expressions and what stands in their place, applied one after the other."""

TRANSFORMERS: Table = (
    (r"^embeddings\.(cls_token|mask_token|register_tokens)$", r"\1"),
    (r"^embeddings\.distillation_token$", "dist_token"),
    (r"^embeddings\.position_embeddings$", "pos_embed"),
    (r"^embeddings\.patch_embeddings\.projection\.", "patch_embed.proj."),
    (r"^(?:encoder\.)?layers?\.(\d+)\.", r"blocks.\1."),
    (r"\.attention\.output\.dense\.|\.attention\.o_proj\.", ".attn.proj."),
    (r"\.attention\.(?:attention\.)?(?:query|q_proj)\.", ".attn.q."),
    (r"\.attention\.(?:attention\.)?(?:key|k_proj)\.", ".attn.k."),
    (r"\.attention\.(?:attention\.)?(?:value|v_proj)\.", ".attn.v."),
    (r"\.layernorm_before\.", ".norm1."),
    (r"\.layernorm_after\.", ".norm2."),
    (r"\.intermediate\.dense\.", ".mlp.fc1."),
    (r"^(blocks\.\d+)\.output\.dense\.", r"\1.mlp.fc2."),
    (r"\.layer_scale(\d)\.lambda1$", r".ls\1.gamma"),
    (r"\.mlp\.weights_in\.", ".mlp.fc1."),
    (r"\.mlp\.(?:weights_out|down_proj)\.", ".mlp.fc2."),
    (r"^layernorm\.", "norm."),
)
PAPERS: Table = (
    (r"\.mlp\.w12\.", ".mlp.fc1."),
    (r"\.mlp\.w3\.", ".mlp.fc2."),
    (r"^(blocks\.\d+)\.gamma_(\d)$", r"\1.ls\2.gamma"),
)
STACKED = {"attn.qkv": ("attn.q", "attn.k", "attn.v"), "mlp.fc1": ("mlp.gate_proj", "mlp.up_proj")}
"""A linear of timm's ← the linears whose rows it stacks."""


def to_timm_names(tensors: Mapping[str, Tensor]) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors under timm's names, and sentences about what was converted.

    Names that nothing here knows stay as they are.
    """
    notices = []
    converted = dict(tensors)
    if "embeddings.patch_embeddings.projection.weight" in converted:
        converted = _stacked(_renamed(converted, TRANSFORMERS))
        notices.append("its names are those of transformers; they were turned into timm's.")
    # timm's DINOv3 calls its layer scales as DeiT III does, and has no position embedding.
    papers = _renamed(converted, PAPERS) if "pos_embed" in converted else converted
    papers = _merging_moved(papers)
    papers = _registers_folded(papers)
    if not notices and papers.keys() != converted.keys():
        notices.append("its names are those of the paper's own code; they were turned into timm's.")
    return papers, notices


def _renamed(tensors: Mapping[str, Tensor], table: Table) -> dict[str, Tensor]:
    renamed = {}
    for name, tensor in tensors.items():
        for pattern, replacement in table:
            name = re.sub(pattern, replacement, name)
        renamed[name] = tensor
    return renamed


def _stacked(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """q, k and v as timm's fused qkv, wherever all three are there."""
    stacked = dict(tensors)
    for fused, parts in STACKED.items():
        first = f".{parts[0]}."
        for name in tensors:
            block, found, kind = name.partition(first)
            names = [f"{block}.{part}.{kind}" for part in parts]
            if found and all(part in stacked for part in names):
                rows = [stacked.pop(part) for part in names]
                stacked[f"{block}.{fused}.{kind}"] = torch.cat(rows)
    return stacked


def _merging_moved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    if "layers.0.downsample.reduction.weight" not in tensors:
        return dict(tensors)

    def next_stage(match: re.Match[str]) -> str:
        return f"layers.{int(match[1]) + 1}.downsample."

    pattern = r"^layers\.(\d+)\.downsample\."
    return {re.sub(pattern, next_stage, name): tensor for name, tensor in tensors.items()}


def _registers_folded(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    folded = dict(tensors)
    if {"register_tokens", "cls_token", "pos_embed"} <= folded.keys():
        positions = folded["pos_embed"]
        folded["reg_token"] = folded.pop("register_tokens")
        folded["cls_token"] = folded["cls_token"] + positions[:, 0]
        folded["pos_embed"] = positions[:, 1:]
    return folded
