"""An adapter written in huggingface/peft's format: as a LoRA on the plain timm model.

A folder with `adapter_config.json` and `adapter_model.safetensors`, which holds for each linear, under timm's path,

    base_model.model.PATH.lora_A.weight [R D_in]    .lora_B.weight [D_out R]    .lora_B.bias [D_out] with `lora_bias`
    base_model.model.HEAD.weight [C D]              base_model.model.HEAD.bias [C]

and computes f(x) + s (B A x + bias) with s = `lora_alpha` / R. A delta that knows its `low_rank` form is written with
s = 1, so nothing is approximated. q and v on a fused qkv stand side by side in one product of twice the rank, each in
its own rows of B. What a LoRA does not say (classes, normalisation, which backbone) is in `peft_demo.json` beside it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor

from ..adapters.adapter import Adapter
from ..adapters.attach import check_sites
from ..adapters.codec import dequantized
from ..adapters.low_rank import added, joined
from ..adapters.merge import biased
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import CannotExport
from ..data.tensors import RESIZED
from ..vit import Backbone, LowRank, Site
from ..vit.anatomy import timm_name

CONFIG = "adapter_config.json"
TENSORS = "adapter_model.safetensors"
ABOUT = "peft_demo.json"
PREFIX = "base_model.model."
SAID = ("name", "method", "classes", "backbone", "arch", "fingerprint", "size", "mean", "std")
"""What `peft_demo.json` holds of the card, beside `resize`."""

Products = Mapping[str, LowRank]
"""What is added to each linear, by timm's path of it."""


@torch.no_grad()
def to_peft(
    backbone: Backbone, adapter: Adapter, card: AdapterCard, hub: str = ""
) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """The files of the folder by name, and what there is to know. `CannotExport` names what has no place in a LoRA.

    `hub` is the repository of the backbone's weights, "" where they are only a file.
    """
    check_sites(backbone.anatomy, adapter)
    adapter = dequantized(adapter)
    if adapter.replaced():
        raise CannotExport(
            f"{adapter.method.title} trains tensors of the backbone itself, {min(adapter.replaced())} for one,"
            " and a LoRA adds to linears only.",
            _elsewhere(adapter),
        )
    products, notes = _products(backbone, adapter)
    config = _config(products, backbone, hub)
    head = biased(adapter.head)
    tensors = _tensors(products, config["lora_bias"])
    tensors |= {
        f"{PREFIX}{backbone.anatomy.head}.{name}": getattr(head, name)
        for name in ("weight", "bias")
    }
    held = {name: t.detach().cpu().contiguous().clone() for name, t in tensors.items()}
    about = {name: getattr(card, name) for name in SAID} | {"resize": RESIZED}
    return {
        CONFIG: _json(config),
        ABOUT: _json(about),
        TENSORS: to_bytes(held, {"format": "pt"}),
    }, notes


def _products(backbone: Backbone, adapter: Adapter) -> tuple[Products, tuple[str, ...]]:
    parts = list(added(backbone, adapter))
    for site, low in parts:
        if low is None:
            raise CannotExport(
                f"what {adapter.method.title} does at {site.name} is more than a low-rank product on a linear, and a"
                " LoRA is just that.",
                _elsewhere(adapter),
            )
    if not parts:
        raise CannotExport(
            f"{adapter.method.title} adds to no linear, so there is no LoRA to write.",
            _elsewhere(adapter),
        )
    products = joined(backbone, parts)
    return {timm_path(path): low for path, low in products.items()}, _notes(parts, products)


def _elsewhere(adapter: Adapter) -> str:
    return (
        f"Use {'`merge` or ' if adapter.method.merges(adapter.config) else ''}`export --to onnx`."
    )


def _notes(parts: Sequence[tuple[Site, LowRank]], products: Products) -> tuple[str, ...]:
    """Says of the first linear that took up several products what became of their rank."""
    for path, product in products.items():
        found = [(site, low) for site, low in parts if site.whole_path == path]
        if len(found) > 1:
            roles = " and ".join(site.role for site, _ in found)
            was = len(found[0][1].down)
            rank = len(product.down)
            return (
                f"timm has one linear for q, k and v: rank {was} on each of {roles} became rank {rank} on it.",
            )
    return ()


def _config(products: Products, backbone: Backbone, hub: str) -> dict[str, Any]:
    ranks = {path: len(low.down) for path, low in products.items()}
    rank = Counter(ranks.values()).most_common(1)[0][0]
    others = {path: r for path, r in ranks.items() if r != rank}
    return {
        "peft_type": "LORA",
        "base_model_name_or_path": hub or None,
        "target_modules": list(products),
        "r": rank,
        "lora_alpha": rank,
        "rank_pattern": others,
        "alpha_pattern": others,
        "lora_bias": any(low.shift is not None for low in products.values()),
        "lora_dropout": 0.0,
        "bias": "none",
        "modules_to_save": [backbone.anatomy.head],
        "inference_mode": True,
    }


def _tensors(products: Products, biased: bool) -> dict[str, Tensor]:
    held = {}
    for path, low in products.items():
        held |= {f"{PREFIX}{path}.lora_A.weight": low.down, f"{PREFIX}{path}.lora_B.weight": low.up}
        if biased:
            zero = low.up.new_zeros(len(low.up))
            held[f"{PREFIX}{path}.lora_B.bias"] = zero if low.shift is None else low.shift
    return held


def timm_path(path: str) -> str:
    """Where the linear at `path` of the exposed tree stands in timm's model."""
    return timm_name(f"{path}.weight").removesuffix(".weight")


def _json(plain: Mapping) -> bytes:
    return (json.dumps(plain, ensure_ascii=False, indent=2) + "\n").encode()
