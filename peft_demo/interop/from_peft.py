"""A LoRA that huggingface/peft made on a timm Vision Transformer, read as a `lora` of ours.

`to_peft` describes the layout of the tensors. Any of qkv, proj, fc1 and fc2 may be adapted, with
ranks and alphas that differ, blocks left out, in fp32, fp16 or bf16. It becomes a `lora` of the
largest rank: narrower factors are filled up with zeros and s is folded into B, which changes no
answer. A tensor that a plain LoRA does not have is refused by name.
"""

import re
from collections.abc import Mapping
from math import sqrt
from typing import Any, TypeVar

import torch
from torch import Tensor

from ..adapters.adapter import Adapter, materialize, meta_adapter
from ..contracts.errors import BadAdapter
from ..contracts.text import quoted
from ..methods import find_method
from ..vit import Anatomy, Backbone, Site
from ..vit.sites import FUSED_LINEARS
from .peft_folder import CONFIG, PREFIX, PeftFolder
from .to_peft import timm_path

DTYPES = ("F32", "F16", "BF16")

Sites = Mapping[str, Site]
"""The adapted linears: timm's path → site."""

Value = TypeVar("Value")


def from_peft(folder: PeftFolder, backbone: Backbone, classes: int) -> Adapter:
    """A `lora` that answers as peft would with this folder, α/r in its factors.

    `BadAdapter` says what does not fit.
    """
    anatomy = backbone.anatomy
    sites = _sites(folder, anatomy)
    ranks = {path: _rank(folder, path) for path in sites}
    _check_tensors(folder, sites, ranks, anatomy, classes)
    roles = {site.role for site in sites.values()}
    values = {
        "targets": tuple(role for role in FUSED_LINEARS if role in roles),
        "rank": max(ranks.values()),
        "scale": 1.0,
        "dropout": folder.config.get("lora_dropout") or 0.0,
    }
    lora = find_method("lora")
    adapter = meta_adapter(lora, lora.config(values), anatomy, classes)
    return materialize(adapter, _state(adapter, folder, sites, anatomy.head)).eval()


def _sites(folder: PeftFolder, anatomy: Anatomy) -> Sites:
    linears = {
        timm_path(site.path): site for site in anatomy.sites.values() if site.role in FUSED_LINEARS
    }
    pattern = re.compile(rf"{re.escape(PREFIX)}(.+)\.lora_A\.weight")
    matches = [pattern.fullmatch(name) for name in folder.header.tensors]
    paths = [match[1] for match in matches if match]
    if not paths:
        raise BadAdapter("this LoRA has no lora_A tensor of a timm Vision Transformer.")
    for path in paths:
        if path not in linears:
            raise BadAdapter(
                f"this LoRA adapts {quoted(path)}, which is no linear inside a block of"
                f" {anatomy.arch}.",
                "Name the backbone it was made on with --backbone.",
            )
    return {path: linears[path] for path in paths}


def _rank(folder: PeftFolder, path: str) -> int:
    """R of the linear at `path`, by its lora_A [R D_in]; 0 for a tensor without dimensions."""
    shape = folder.header.tensors[f"{PREFIX}{path}.lora_A.weight"][1]
    return shape[0] if shape else 0


def _check_tensors(
    folder: PeftFolder, sites: Sites, ranks: Mapping[str, int], anatomy: Anatomy, classes: int
) -> None:
    """`BadAdapter` unless the file holds exactly the tensors of a plain LoRA with a head."""
    head = f"{PREFIX}{anatomy.head}"
    expected: dict[str, tuple[int, ...]] = {
        f"{head}.weight": (classes, anatomy.features),
        f"{head}.bias": (classes,),
    }
    for path, site in sites.items():
        expected[f"{PREFIX}{path}.lora_A.weight"] = (ranks[path], site.d_in)
        expected[f"{PREFIX}{path}.lora_B.weight"] = (site.d_out, ranks[path])
    actual = folder.header.tensors
    if f"{head}.weight" not in actual:
        raise BadAdapter(
            "this LoRA has no classifier head, so it cannot answer.",
            f'Train it with modules_to_save=["{anatomy.head}"].',
        )
    for name in sorted(set(expected) ^ set(actual)):
        word = "lacks" if name in expected else "has an unexpected"
        raise BadAdapter(f"this is not a plain LoRA with a head: it {word} tensor {quoted(name)}.")
    for name, expected_shape in expected.items():
        dtype, shape = actual[name]
        if shape != expected_shape or dtype not in DTYPES:
            raise BadAdapter(
                f"this LoRA's {name} is {dtype} {list(shape)}, expected {list(expected_shape)} on"
                f" {anatomy.arch}."
            )


def _state(adapter: Adapter, folder: PeftFolder, sites: Sites, head: str) -> dict[str, Tensor]:
    """The tensors of `adapter` by its own names."""
    state = {name: torch.zeros(tensor.shape) for name, tensor in adapter.state().items()}
    tensors = {name: tensor.float() for name, tensor in folder.tensors().items()}
    for path, site in sites.items():
        down = tensors[f"{PREFIX}{path}.lora_A.weight"]
        up = tensors[f"{PREFIX}{path}.lora_B.weight"]
        rank = len(down)
        delta = f"deltas.{site.name.replace('.', '/')}"
        state[f"{delta}.down"][:rank] = down
        state[f"{delta}.up"][:, :rank] = _scale(folder.config, path, rank) * up
    for name in ("weight", "bias"):
        state[f"head.{name}"] = tensors[f"{PREFIX}{head}.{name}"]
    return state


def _scale(config: Mapping[str, Any], path: str, rank: int) -> float:
    """s of the linear at `path`; `BadAdapter` if its rank is 0, or not what the config says."""
    if rank < 1:
        raise BadAdapter(f"this LoRA has rank {rank} at {path}; expected at least 1.")
    config_rank = _of_pattern(config.get("rank_pattern") or {}, path, config.get("r", 8))
    alpha = _of_pattern(config.get("alpha_pattern") or {}, path, config.get("lora_alpha", 8))
    if config_rank != rank:
        raise BadAdapter(
            f"{CONFIG} says rank {config_rank} at {path}, but its tensors have {rank}."
        )
    return alpha / (sqrt(rank) if config.get("use_rslora") else rank)


def _of_pattern(pattern: Mapping[str, Value], path: str, default: Value) -> Value:
    """The value of the first name in `pattern` that is `path`, or its end."""
    for name, value in pattern.items():
        if path == name or path.endswith(f".{name}"):
            return value
    return default
