"""A LoRA that huggingface/peft made, on timm's model or on transformers', read as a `lora` of ours.

`to_peft` describes the layout of the tensors. Any of qkv (or q, k, v), proj, fc1, fc2 and the patch
embedding may be adapted, with ranks and alphas that differ, blocks left out, in fp32, fp16 or bf16.
It becomes a `lora` of the largest rank: narrower factors are filled up with zeros and s is folded
into B, which changes no answer. A DoRA becomes a `dora` on q, k and v apart. A tensor that no LoRA
has is refused by name.

What became of biases, `biases` says.
"""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..adapters.adapter import Adapter, materialize, meta_adapter
from ..adapters.low_rank import apart
from ..contracts.errors import BadAdapter
from ..methods import find_method
from ..vit import Backbone, LowRank
from ..vit.sites import QKV
from .biases import add_biases
from .change import Change, frozen_norms, nothing, parts_of
from .naming import Naming, timm_naming, wrapper_of
from .peft_config import CONFIG, made_on, method_of, rank_at, scale_at
from .peft_folder import PREFIX, PeftFolder
from .peft_tensors import (
    DOWN,
    MAGNITUDE,
    OWN_BIAS,
    SHIFT,
    UP,
    check_paths,
    check_tensors,
    tensors_by_path,
)
from .transformers_names import transformers_naming


def from_peft(folder: PeftFolder, backbone: Backbone, classes: int) -> Adapter:
    """A `lora` or `dora` that answers as peft would with this folder, α/r in its factors.

    `BadAdapter` says what does not fit.
    """
    found = tensors_by_path(folder)
    theirs = transformers_naming(found, made_on(folder.config), backbone)
    naming = theirs or timm_naming(backbone.anatomy, wrapper_of(found))
    check_paths(folder, found, naming, backbone)
    check_tensors(folder, found, naming, backbone, classes)
    tensors = {name: tensor.float() for name, tensor in folder.tensors().items()}
    changes = _changes(folder, found, naming, tensors)
    head = _head(tensors, naming)
    trained = _trained_biases(tensors, naming)
    add_biases(changes, head, trained, naming, backbone)
    return _adapter(folder, _as_sites(folder, changes, backbone), head, backbone)


def _changes(
    folder: PeftFolder,
    found: Mapping[str, set[str]],
    naming: Naming,
    tensors: Mapping[str, Tensor],
) -> dict[str, Change]:
    """What the folder's own tensors do at each adapted site, by its name."""
    changes = {}
    for path, kinds in found.items():
        if DOWN in kinds:
            site = naming.sites[path]
            start = f"{PREFIX}{path}"
            down = tensors[f"{start}.{DOWN}"].flatten(1)
            up = tensors[f"{start}.{UP}"].flatten(1)
            s = _scale(folder, path, len(down))
            shift = tensors.get(f"{start}.{SHIFT}")
            product = LowRank(down, s * up, None if shift is None else s * shift)
            changes[site.name] = Change(site, product, tensors.get(f"{start}.{MAGNITUDE}"))
    return changes


def _scale(folder: PeftFolder, path: str, rank: int) -> float:
    """s of the linear at `path`; `BadAdapter` if its rank is 0, or not what the config says."""
    if rank < 1:
        raise BadAdapter(f"this LoRA has rank {rank} at {path}; expected at least 1.")
    config_rank = rank_at(folder.config, path)
    if config_rank != rank:
        raise BadAdapter(
            f"{CONFIG} says rank {config_rank} at {path}, but its tensors have {rank}."
        )
    return scale_at(folder.config, path, rank)


def _head(tensors: Mapping[str, Tensor], naming: Naming) -> dict[str, Tensor]:
    return {name: tensors[f"{PREFIX}{naming.head}.{name}"].clone() for name in ("weight", "bias")}


def _trained_biases(tensors: Mapping[str, Tensor], naming: Naming) -> dict[str, Tensor]:
    """The biases that stand in the place of the backbone's, by the name of their site."""
    return {
        site.name: tensors[name]
        for path, site in naming.sites.items()
        for kind in OWN_BIAS
        if (name := f"{PREFIX}{path}.{kind}") in tensors
    }


def _as_sites(
    folder: PeftFolder, changes: Mapping[str, Change], backbone: Backbone
) -> dict[str, Change]:
    """The changes by our sites: at q, k and v where those of all fused linears lie apart, or where
    they have to, since a DoRA reads each of them by itself."""
    dora = method_of(folder.config) == "dora"
    if not dora and not all(map(_lies_apart, changes.values())):
        return dict(changes)
    result = {}
    for name, change in changes.items():
        if change.site.role == "qkv":
            result |= parts_of(change, QKV if dora else (), backbone)
        else:
            result[name] = change
    return result


def _lies_apart(change: Change) -> bool:
    """Whether each column of B reaches one of q, k and v alone, as `joined` leaves them."""
    if change.site.role != "qkv":
        return True
    ranks = [len(part.down) for part in apart(change.site, change.product).values()]
    return 0 < sum(ranks) <= len(change.product.down)


def _adapter(
    folder: PeftFolder,
    changes: Mapping[str, Change],
    head: Mapping[str, Tensor],
    backbone: Backbone,
) -> Adapter:
    """The `lora` or `dora` with these changes."""
    values: dict[str, Any] = {
        "targets": tuple({change.site.role for change in changes.values()}),
        "rank": max(len(change.product.down) for change in changes.values()),
        "scale": 1.0,
        "dropout": folder.config.get("lora_dropout") or 0.0,
    }
    if any(change.product.shift is not None for change in changes.values()):
        values["bias"] = True
    method = find_method(method_of(folder.config))
    adapter = meta_adapter(method, method.config(values), backbone.anatomy, len(head["bias"]))
    state = {name: torch.zeros(tensor.shape) for name, tensor in adapter.state().items()}
    for name in adapter.by_site():
        site = backbone.anatomy.sites[name]
        change = changes.get(name) or Change(site, nothing(site))
        _fill(state, f"deltas.{name.replace('.', '/')}", change, backbone)
    for name, tensor in head.items():
        state[f"head.{name}"] = tensor
    return materialize(adapter, state).eval()


def _fill(state: dict[str, Tensor], start: str, change: Change, backbone: Backbone) -> None:
    """Writes a change over zeros."""
    product = change.product
    state[f"{start}.down"][: len(product.down)] = product.down
    state[f"{start}.up"][:, : len(product.down)] = product.up
    if product.shift is not None:
        state[f"{start}.bias"] = product.shift
    if f"{start}.magnitude" in state:
        magnitude = change.magnitude
        frozen = magnitude is None
        state[f"{start}.magnitude"] = frozen_norms(backbone, change.site) if frozen else magnitude
