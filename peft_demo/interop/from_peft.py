"""A LoRA that huggingface/peft made, on timm's model or on transformers', read as a `lora` of ours.

`to_peft` describes the layout of the tensors. Any of qkv (or q, k, v), proj, fc1, fc2 and the patch
embedding may be adapted, with ranks and alphas that differ, blocks left out, in fp32, fp16 or bf16.
It becomes a `lora` of the largest rank: narrower factors are filled up with zeros and s is folded
into B, which changes no answer. A DoRA becomes a `dora` on q, k and v apart. A tensor that no LoRA
has is refused by name.

What became of biases, `biases` says.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from ..adapters.adapter import Adapter, materialize, meta_adapter
from ..adapters.low_rank import apart
from ..contracts.errors import BadAdapter
from ..contracts.text import quoted
from ..methods import find_method
from ..methods.lora import TARGETS
from ..vit import Backbone, LowRank, Site
from ..vit.sites import QKV
from .biases import add_biases
from .change import Change, frozen_norms, nothing, parts_of
from .naming import Naming, timm_naming
from .peft_config import CONFIG, biases, made_on, method_of, rank_at, scale_at
from .peft_folder import PREFIX, PeftFolder
from .transformers_names import transformers_naming

DTYPES = ("F32", "F16", "BF16")

DOWN = "lora_A.weight"
UP = "lora_B.weight"
SHIFT = "lora_B.bias"
MAGNITUDE = "lora_magnitude_vector"
BIAS = "bias"
BASE_BIAS = "base_layer.bias"
"""The bias of an adapted linear, as peft calls it since 0.7."""
OWN_BIAS = {BIAS, BASE_BIAS}

_NAME = re.compile(
    rf"{re.escape(PREFIX)}(.+?)\.({'|'.join(map(re.escape, (DOWN, UP, SHIFT, MAGNITUDE)))}"
    rf"|{re.escape(BASE_BIAS)}|{BIAS})"
)


def from_peft(folder: PeftFolder, backbone: Backbone, classes: int) -> Adapter:
    """A `lora` or `dora` that answers as peft would with this folder, α/r in its factors.

    `BadAdapter` says what does not fit.
    """
    found = _found(folder)
    theirs = transformers_naming(found, made_on(folder.config), backbone)
    naming = theirs or timm_naming(backbone.anatomy)
    _check_paths(folder, found, naming, backbone)
    _check_tensors(folder, found, naming, backbone, classes)
    tensors = {name: tensor.float() for name, tensor in folder.tensors().items()}
    changes = _changes(folder, found, naming, tensors)
    head = _head(tensors, naming)
    trained = _trained_biases(tensors, naming)
    add_biases(changes, head, trained, naming, backbone)
    return _adapter(folder, _as_sites(folder, changes, backbone), head, backbone)


def _found(folder: PeftFolder) -> dict[str, set[str]]:
    """The kinds of tensors of each path that is adapted or whose bias is there."""
    found: dict[str, set[str]] = {}
    for name in folder.header.tensors:
        match = _NAME.fullmatch(name)
        if match:
            found.setdefault(match[1], set()).add(match[2])
    return found


def _check_paths(
    folder: PeftFolder, found: Mapping[str, set[str]], naming: Naming, backbone: Backbone
) -> None:
    adapted = [path for path, kinds in found.items() if DOWN in kinds]
    if not adapted:
        raise BadAdapter("this LoRA has no lora_A tensor of a Vision Transformer.")
    method = method_of(folder.config)
    for path in adapted:
        site = naming.sites.get(path)
        if site is None or site.role not in TARGETS:
            raise BadAdapter(
                f"this LoRA adapts {quoted(path)}, which is neither a linear inside a block of"
                f" {backbone.anatomy.arch} nor its patch embedding.",
                "Name the backbone it was made on with --backbone.",
            )
        if site.role == "patch" and method == "dora":
            raise BadAdapter(
                f"this DoRA adapts the patch embedding, {path}, where a `dora` here cannot stand.",
                f'Train it with exclude_modules=["{path}"].',
            )


def _check_tensors(
    folder: PeftFolder,
    found: Mapping[str, set[str]],
    naming: Naming,
    backbone: Backbone,
    classes: int,
) -> None:
    """`BadAdapter` unless the file holds exactly the tensors of such a LoRA with a head."""
    actual = folder.header.tensors
    head = f"{PREFIX}{naming.head}"
    if f"{head}.weight" not in actual:
        raise BadAdapter(
            "this LoRA has no classifier head, so it cannot answer.",
            f'Train it with modules_to_save=["{naming.head}"].',
        )
    expected: dict[str, tuple[int, ...]] = {
        f"{head}.weight": (classes, backbone.anatomy.features),
        f"{head}.bias": (classes,),
    }
    for path, kinds in found.items():
        if path in naming.sites:
            expected |= _expected(folder, path, kinds, naming.sites[path], backbone)
    leftovers = {f"{head}.{copy}.bias" for copy in ("modules_to_save", "original_module")}
    for name in sorted(set(expected) ^ (set(actual) - leftovers)):
        word = "lacks" if name in expected else "has an unexpected"
        raise BadAdapter(
            f"this is no LoRA with a head that is read: it {word} {quoted(name)}.",
            f'Of whole modules only the head is taken: modules_to_save=["{naming.head}"].',
        )
    for name, expected_shape in expected.items():
        dtype, shape = actual[name]
        if shape != expected_shape or dtype not in DTYPES:
            raise BadAdapter(
                f"this LoRA's {name} is {dtype} {list(shape)}, expected {list(expected_shape)} on"
                f" {backbone.anatomy.arch}."
            )


def _expected(
    folder: PeftFolder, path: str, kinds: set[str], site: Site, backbone: Backbone
) -> dict[str, tuple[int, ...]]:
    """The tensors that the config promises at this path, with their shapes."""
    config = folder.config
    start = f"{PREFIX}{path}"
    expected: dict[str, tuple[int, ...]] = {}
    if DOWN in kinds:
        rank = _rank(folder, path)
        patch = site.role == "patch"
        side = (backbone.anatomy.patch,) * 2
        expected[f"{start}.{DOWN}"] = (rank, 3, *side) if patch else (rank, site.d_in)
        expected[f"{start}.{UP}"] = (site.d_out, rank, 1, 1) if patch else (site.d_out, rank)
        if config.get("lora_bias"):
            expected[f"{start}.{SHIFT}"] = (site.d_out,)
        if config.get("use_dora"):
            expected[f"{start}.{MAGNITUDE}"] = (site.d_out,)
    if site.bias and biases(config) == "lora_only" and DOWN in kinds and not kinds & OWN_BIAS:
        raise BadAdapter(
            f'this LoRA trained the bias of {quoted(path)} (bias="lora_only"), which is not in its'
            " file: older versions of peft did not save them.",
            "Save it again with a newer peft, from the model that was trained.",
        )
    if site.bias and biases(config) != "none" and (kinds & OWN_BIAS or biases(config) == "all"):
        expected[f"{start}.{BASE_BIAS if BASE_BIAS in kinds else BIAS}"] = (site.d_out,)
    return expected


def _rank(folder: PeftFolder, path: str) -> int:
    """R of the linear at `path`, by its lora_A [R ...]; 0 for a tensor without dimensions."""
    shape = folder.header.tensors[f"{PREFIX}{path}.{DOWN}"][1]
    return shape[0] if shape else 0


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
        for kind in (BIAS, BASE_BIAS)
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
