"""An adapter written in huggingface/peft's format: as a LoRA on the plain timm model.

A folder with `adapter_config.json` and `adapter_model.safetensors`. For each linear, under timm's
path, it holds

    base_model.model.PATH.lora_A.weight [R D_in]    .lora_B.weight [D_out R]
    base_model.model.PATH.lora_B.bias [D_out]       with `lora_bias`
    base_model.model.HEAD.weight [C D]              base_model.model.HEAD.bias [C]

and computes f(x) + s (B A x + bias) with s = `lora_alpha` / R. A delta that knows its `low_rank`
form is written with s = 1, so nothing is approximated. q and v on a fused qkv stand side by side in
one product of twice the rank, each in its own rows of B. What a LoRA does not say (classes,
normalisation, backbone) is in `peft_demo.json` beside it.
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

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
from .fit import PATCH, Fit
from .peft_folder import CONFIG, NOTE, PREFIX, TENSORS

CARD_FIELDS = (
    "name",
    "method",
    "classes",
    "backbone",
    "arch",
    "fingerprint",
    "size",
    "mean",
    "std",
    "window",
    "ground",
)
"""What `peft_demo.json` holds of the card, beside `resize`."""

Products = Mapping[str, LowRank]
"""What is added to each linear, by its path."""

Parts = Sequence[tuple[Site, LowRank]]

Written = tuple[dict[str, bytes], tuple[str, ...]]
"""Files by name, and notes for the person who exports."""


@torch.no_grad()
def to_peft(backbone: Backbone, adapter: Adapter, card: AdapterCard, hub: str = "") -> Written:
    """The files of the folder by name, and notes for the person who exports.

    `hub` is the repository of the backbone's weights, "" where they are only a file. Raises
    `CannotExport` for what has no place in a LoRA.
    """
    check_sites(backbone.anatomy, adapter)
    adapter = dequantized(adapter)
    parts = _parts(backbone, adapter)
    products = joined(backbone, parts)
    saved = {backbone.anatomy.head: biased(adapter.head)}
    files = _files(backbone, products, saved, card, hub)
    return files, _notes(parts, products)


def fit_to_peft(
    backbone: Backbone, fitted: Fit, card: AdapterCard, hub: str = ""
) -> dict[str, bytes]:
    """The files of a LoRA that is near to an adapter which is none."""
    saved: dict[str, nn.Module] = {backbone.anatomy.head: fitted.head}
    if fitted.patch is not None:
        saved[PATCH] = fitted.patch
    return _files(backbone, fitted.products, saved, card, hub)


def _files(
    backbone: Backbone,
    products: Products,
    saved: Mapping[str, nn.Module],
    card: AdapterCard,
    hub: str,
) -> dict[str, bytes]:
    by_timm_path = {timm_path(path): product for path, product in products.items()}
    config = _config(by_timm_path, list(saved), hub)
    tensors = _tensors(by_timm_path, config["lora_bias"]) | _whole(saved)
    note = {name: getattr(card, name) for name in CARD_FIELDS}
    note["resize"] = RESIZED
    return {
        CONFIG: _json(config),
        NOTE: _json(note),
        TENSORS: to_bytes(tensors, {"format": "pt"}),
    }


def timm_path(path: str) -> str:
    """Where the linear at `path` of the exposed tree stands in timm's model."""
    return timm_name(f"{path}.weight").removesuffix(".weight")


def _parts(backbone: Backbone, adapter: Adapter) -> Parts:
    """The product at each site of `adapter`; `CannotExport` if it does anything else."""
    title = adapter.method.title
    if adapter.replaced():
        raise CannotExport(
            f"{title} trains tensors of the backbone itself, for instance"
            f" {min(adapter.replaced())}, and a LoRA only adds to linears.",
            _other_ways(adapter),
        )
    parts = []
    for site, product in added(backbone, adapter):
        if product is None:
            raise CannotExport(
                f"what {title} does at {site.name} is not a low-rank product on a linear, and a"
                " LoRA is only that.",
                _other_ways(adapter),
            )
        parts.append((site, product))
    if not parts:
        raise CannotExport(
            f"{title} adds to no linear, so there is no LoRA to write.", _other_ways(adapter)
        )
    return parts


def _other_ways(adapter: Adapter) -> str:
    if adapter.method.merges(adapter.config):
        return "Ask for the nearest LoRA (`--rank 16`), or use `merge` or `export --to onnx`."
    return "Use `export --to onnx`."


def _notes(parts: Parts, products: Products) -> tuple[str, ...]:
    """Says of the first linear that took up several products what became of their rank."""
    for path, product in products.items():
        own = [(site, part) for site, part in parts if site.whole_path == path]
        if len(own) > 1:
            roles = " and ".join(site.role for site, _ in own)
            rank = len(own[0][1].down)
            return (
                f"timm has one linear for q, k and v: rank {rank} on each of {roles} became rank"
                f" {len(product.down)} on it.",
            )
    return ()


def _config(products: Products, saved: list[str], hub: str) -> dict[str, Any]:
    ranks = {path: len(product.down) for path, product in products.items()}
    rank = Counter(ranks.values()).most_common(1)[0][0]
    other_ranks = {path: other for path, other in ranks.items() if other != rank}
    return {
        "peft_type": "LORA",
        "base_model_name_or_path": hub or None,
        "target_modules": list(products),
        "r": rank,
        "lora_alpha": rank,
        "rank_pattern": other_ranks,
        "alpha_pattern": other_ranks,
        "lora_bias": any(product.shift is not None for product in products.values()),
        "lora_dropout": 0.0,
        "bias": "none",
        "modules_to_save": saved,
        "inference_mode": True,
    }


def _tensors(products: Products, biased: bool) -> dict[str, Tensor]:
    tensors = {}
    for path, product in products.items():
        tensors[f"{PREFIX}{path}.lora_A.weight"] = _copy(product.down)
        tensors[f"{PREFIX}{path}.lora_B.weight"] = _copy(product.up)
        if biased:
            zero = product.up.new_zeros(len(product.up))
            shift = zero if product.shift is None else product.shift
            tensors[f"{PREFIX}{path}.lora_B.bias"] = _copy(shift)
    return tensors


def _whole(saved: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """The tensors of modules that stand in the folder as they are."""
    return {
        f"{PREFIX}{path}.{name}": _copy(tensor)
        for path, module in saved.items()
        for name, tensor in module.state_dict().items()
    }


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().cpu().contiguous().clone()


def _json(values: Mapping[str, Any]) -> bytes:
    return (json.dumps(values, ensure_ascii=False, indent=2) + "\n").encode()
