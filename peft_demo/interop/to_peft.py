"""An adapter written in huggingface/peft's format: as a LoRA on the plain model, timm's or
transformers'.

A folder with `adapter_config.json` and `adapter_model.safetensors`. For each linear, under its path
in the plain model, it holds

    base_model.model.PATH.lora_A.weight [R D_in]    .lora_B.weight [D_out R]
    base_model.model.PATH.lora_B.bias [D_out]               with `lora_bias`
    base_model.model.PATH.lora_magnitude_vector [D_out]     with `use_dora`
    base_model.model.HEAD.weight [C D]              base_model.model.HEAD.bias [C]

and computes f(x) + s (B A x + bias) with s = `lora_alpha` / R; the factors of a convolution, the
patch embedding's, are [R 3 P P] and [D R 1 1]. A delta that knows its `low_rank` form is written
with s = 1, so nothing is approximated. timm has one linear for q, k and v: q and v on it stand side
by side in one product of twice the rank, each in its own rows of B. transformers has three, which
take their own rows again. What a LoRA does not say (classes, normalisation, backbone) is in
`peft_demo.json` beside it.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from safetensors.torch import save as to_bytes
from torch import Tensor, nn

from ..adapters.adapter import Adapter
from ..adapters.attach import check_sites
from ..adapters.codec import dequantized
from ..adapters.low_rank import added
from ..adapters.merge import biased
from ..contracts.adapter_card import AdapterCard
from ..contracts.errors import CannotExport
from ..data.tensors import RESIZED
from ..vit import Backbone
from ..vit.sites import QKV
from .change import Change, change_at, parts_of, together
from .fit import Fit
from .naming import Naming, timm_naming
from .peft_config import CONFIG
from .peft_folder import NOTE, PREFIX, TENSORS

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

Written = tuple[dict[str, bytes], tuple[str, ...]]
"""Files by name, and notes for the person who exports."""


@torch.no_grad()
def to_peft(
    backbone: Backbone,
    adapter: Adapter,
    card: AdapterCard,
    hub: str = "",
    naming: Naming | None = None,
) -> Written:
    """The files of the folder by name, and notes for the person who exports.

    `hub` is the repository of the backbone's weights, "" where they are only a file. `naming` says
    what the parts of the plain model are called; None is timm's. Raises `CannotExport` for what has
    no place in a LoRA.
    """
    check_sites(backbone.anatomy, adapter)
    adapter = dequantized(adapter)
    naming = naming or timm_naming(backbone.anatomy)
    changes = _changes(backbone, adapter)
    by_path = _by_path(backbone, changes, naming)
    saved = {naming.head: biased(adapter.head)}
    return _files(backbone, by_path, saved, card, hub), _notes(changes, by_path)


def fit_to_peft(
    backbone: Backbone,
    fitted: Fit,
    card: AdapterCard,
    hub: str = "",
    naming: Naming | None = None,
) -> dict[str, bytes]:
    """The files of a LoRA that is near to an adapter which is none."""
    naming = naming or timm_naming(backbone.anatomy)
    saved: dict[str, nn.Module] = {naming.head: fitted.head}
    if fitted.patch is not None:
        saved[naming.paths["patch"]] = fitted.patch
    sites = {site.path: site for site in backbone.anatomy.sites.values()}
    changes = [Change(sites[path], product) for path, product in fitted.products.items()]
    return _files(backbone, _by_path(backbone, changes, naming), saved, card, hub)


def _files(
    backbone: Backbone,
    changes: Mapping[str, Change],
    saved: Mapping[str, nn.Module],
    card: AdapterCard,
    hub: str,
) -> dict[str, bytes]:
    """`changes` and whole modules by their path in the plain model."""
    config = _config(changes, list(saved), hub)
    tensors = _tensors(changes, config["lora_bias"], backbone.anatomy.patch) | _whole(saved)
    note = {name: getattr(card, name) for name in CARD_FIELDS}
    note["resize"] = RESIZED
    return {
        CONFIG: _json(config),
        NOTE: _json(note),
        TENSORS: to_bytes(tensors, {"format": "pt"}),
    }


def _changes(backbone: Backbone, adapter: Adapter) -> list[Change]:
    """What the adapter does at each of its sites; `CannotExport` if a LoRA cannot do that."""
    title = adapter.method.title
    if adapter.replaced():
        raise CannotExport(
            f"{title} trains tensors of the backbone itself, for instance"
            f" {min(adapter.replaced())}, and a LoRA only adds to linears.",
            _other_ways(adapter),
        )
    changes = []
    for site, product in added(backbone, adapter):
        change = change_at(backbone, adapter, site, product)
        if change is None:
            raise CannotExport(
                f"what {title} does at {site.name} is not a low-rank product on a linear, and a"
                " LoRA is only that.",
                _other_ways(adapter),
            )
        changes.append(change)
    if not changes:
        raise CannotExport(
            f"{title} adds to no linear, so there is no LoRA to write.", _other_ways(adapter)
        )
    return changes


def _by_path(backbone: Backbone, changes: Sequence[Change], naming: Naming) -> dict[str, Change]:
    """The changes by the path of their linear in the plain model, with q, k and v together or apart
    as they are there."""
    paths = naming.paths
    groups: dict[str, list[Change]] = defaultdict(list)
    for change in changes:
        block, _, role = change.site.name.rpartition(".")
        if role in QKV and change.site.name not in paths:
            groups[paths[f"{block}.qkv"]].append(change)
        elif change.site.name in paths:
            groups[paths[change.site.name]].append(change)
        elif role == "qkv":
            for name, part in parts_of(change, (), backbone).items():
                groups[paths[name]].append(part)
        else:
            raise CannotExport(f"a LoRA on {backbone.arch} has no place for {change.site.name}.")
    return {path: together(backbone, naming.sites[path], own) for path, own in groups.items()}


def _other_ways(adapter: Adapter) -> str:
    if adapter.method.merges(adapter.config):
        return "Ask for the nearest LoRA (`--rank 16`), or use `merge` or `export --to onnx`."
    return "Use `export --to onnx`."


def _notes(changes: Sequence[Change], by_path: Mapping[str, Change]) -> tuple[str, ...]:
    """Says of the first linear that took up several products what became of their rank."""
    for whole in by_path.values():
        own = [change for change in changes if change.site.whole_path == whole.site.path]
        if len(own) > 1:
            roles = " and ".join(change.site.role for change in own)
            rank = len(own[0].product.down)
            return (
                f"timm has one linear for q, k and v: rank {rank} on each of {roles} became rank"
                f" {len(whole.product.down)} on it.",
            )
    return ()


def _config(changes: Mapping[str, Change], saved: list[str], hub: str) -> dict[str, Any]:
    ranks = {path: len(change.product.down) for path, change in changes.items()}
    rank = Counter(ranks.values()).most_common(1)[0][0]
    other_ranks = {path: other for path, other in ranks.items() if other != rank}
    return {
        "peft_type": "LORA",
        "base_model_name_or_path": hub or None,
        "target_modules": list(changes),
        "r": rank,
        "lora_alpha": rank,
        "rank_pattern": other_ranks,
        "alpha_pattern": other_ranks,
        "lora_bias": any(change.product.shift is not None for change in changes.values()),
        "use_dora": any(change.magnitude is not None for change in changes.values()),
        "lora_dropout": 0.0,
        "bias": "none",
        "modules_to_save": saved,
        "inference_mode": True,
    }


def _tensors(changes: Mapping[str, Change], biased: bool, patch: int) -> dict[str, Tensor]:
    tensors = {}
    for path, change in changes.items():
        start = f"{PREFIX}{path}"
        down, up, shift = change.product
        if change.site.role == "patch":
            down = down.view(len(down), 3, patch, patch)
            up = up[:, :, None, None]
        tensors[f"{start}.lora_A.weight"] = _copy(down)
        tensors[f"{start}.lora_B.weight"] = _copy(up)
        if biased:
            zero = up.new_zeros(len(up))
            tensors[f"{start}.lora_B.bias"] = _copy(zero if shift is None else shift)
        if change.magnitude is not None:
            tensors[f"{start}.lora_magnitude_vector"] = _copy(change.magnitude)
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
