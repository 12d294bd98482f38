"""A LoRA that huggingface/peft made on a timm Vision Transformer, read as a `lora` of ours (layout: see `to_peft`).

Read is a plain LoRA: any of qkv, proj, fc1 and fc2, ranks and alphas that differ, blocks left out, fp16. It becomes a
`lora` of the largest rank, narrower factors filled up with zeros and s folded into B, which changes no answer.
Whatever else the config switches on is refused by name, and so is a tensor that a plain LoRA does not have.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from ..adapters.adapter import Adapter, materialize, meta_adapter
from ..contracts.errors import BadAdapter
from ..methods import find_method
from ..methods.lora import TARGETS
from ..storage.header import Header, read_header
from ..vit import Anatomy, Backbone, Site
from ..vit.sites import QKV
from .to_peft import ABOUT, CONFIG, PREFIX, TENSORS, timm_path

JSON_LIMIT = 1_000_000
HEADER_LIMIT = 4_000_000
"""Bytes."""

PLAIN = {"megatron_core": "megatron.core", "qalora_group_size": 16, "bias": "none"}
"""Keys of the config that must have this value, or none at all."""

READ = {
    "peft_type",
    "r",
    "lora_alpha",
    "rank_pattern",
    "alpha_pattern",
    "use_rslora",
    "lora_dropout",
}
READ |= {"base_model_name_or_path", "modules_to_save", "init_lora_weights"}
HARMLESS = {
    "auto_mapping",
    "inference_mode",
    "peft_version",
    "revision",
    "task_type",
    "eva_config",
    "runtime_config",
}
HARMLESS |= {"target_modules", "exclude_modules", "layers_pattern", "layers_to_transform"}
"""Keys whose work is done once the tensors have their names; any other key that is set is refused."""

STARTS = (None, True, False, "gaussian", "eva", "orthogonal")
"""Values of `init_lora_weights` that leave the backbone as it was."""


@dataclass(frozen=True)
class PeftFolder:
    """A peft LoRA on disk whose config has been judged; no tensor has been read."""

    file: Path
    header: Header
    config: Mapping[str, Any]
    about: Mapping[str, Any]
    """What `peft_demo.json` says, if it is there."""


def read_folder(path: Path) -> PeftFolder:
    """The folder (or the tensors' file in it); `BadAdapter` unless it is a plain LoRA."""
    folder = path if path.is_dir() else path.parent
    for name in (CONFIG, TENSORS):
        if not (folder / name).is_file():
            raise BadAdapter(f"{folder.name} is no peft adapter: it has no {name}.")
    config = _read_json(folder / CONFIG)
    _check_config(config)
    about = _read_json(folder / ABOUT) if (folder / ABOUT).is_file() else {}
    return PeftFolder(
        folder / TENSORS, read_header(folder / TENSORS, HEADER_LIMIT, BadAdapter), config, about
    )


def from_peft(folder: PeftFolder, backbone: Backbone, classes: int) -> Adapter:
    """A `lora` that answers as peft would with this folder, α/r in its factors. `BadAdapter` says what does not fit."""
    anatomy = backbone.anatomy
    shapes = {n: shape for n, (_, shape) in folder.header.tensors.items()}
    sites = _sites(anatomy, folder)
    ranks = {path: (shapes[f"{PREFIX}{path}.lora_A.weight"] or (0,))[0] for path in sites}
    _check_tensors(folder, sites, ranks, anatomy, classes)
    kind = find_method("lora")
    targets = tuple(role for role in TARGETS if any(site.role == role for site in sites.values()))
    knobs = {"targets": targets, "rank": max(ranks.values()), "scale": 1.0}
    knobs["dropout"] = folder.config.get("lora_dropout") or 0.0
    adapter = meta_adapter(kind, kind.config(knobs), anatomy, classes)
    return materialize(adapter, _state(adapter, folder, sites, anatomy.head)).eval()


def _sites(anatomy: Anatomy, folder: PeftFolder) -> dict[str, Site]:
    """The adapted linears: timm's path → site."""
    known = {
        timm_path(s.path): s
        for s in anatomy.sites.values()
        if s.role in TARGETS and s.role not in QKV
    }
    found = [
        re.fullmatch(rf"{re.escape(PREFIX)}(.+)\.lora_A\.weight", name)
        for name in folder.header.tensors
    ]
    paths = [match[1] for match in found if match]
    for path in paths:
        if path not in known:
            raise BadAdapter(
                f"this LoRA adapts {path[:200]!r}, which is no linear inside a block of {anatomy.arch}.",
                "Name the backbone it was made on with --backbone.",
            )
    if not paths:
        raise BadAdapter("this LoRA holds no lora_A tensor of a timm Vision Transformer.")
    return {path: known[path] for path in paths}


def _check_tensors(
    folder: PeftFolder, sites, ranks: Mapping[str, int], anatomy: Anatomy, classes: int
) -> None:
    expected = {f"{PREFIX}{path}.lora_A.weight": (ranks[path], s.d_in) for path, s in sites.items()}
    expected |= {
        f"{PREFIX}{path}.lora_B.weight": (s.d_out, ranks[path]) for path, s in sites.items()
    }
    head = f"{PREFIX}{anatomy.head}."
    if f"{head}weight" not in folder.header.tensors:
        raise BadAdapter(
            "this LoRA has no classifier head, so there is nothing to answer with.",
            f'Train it with modules_to_save=["{anatomy.head}"].',
        )
    expected |= {f"{head}weight": (classes, anatomy.features), f"{head}bias": (classes,)}
    for name in sorted(set(expected) ^ set(folder.header.tensors)):
        word = "lacks" if name in expected else "has an unexpected"
        raise BadAdapter(f"this is no plain LoRA with a head: it {word} tensor {name[:200]!r}.")
    for name, shape in expected.items():
        dtype, came = folder.header.tensors[name]
        if came != shape or dtype not in ("F32", "F16", "BF16"):
            raise BadAdapter(
                f"this LoRA's {name} is {dtype} {list(came)}, expected {list(shape)} on {anatomy.arch}."
            )


def _state(
    adapter: Adapter, folder: PeftFolder, sites: Mapping[str, Site], head: str
) -> dict[str, Tensor]:
    """The tensors of `adapter` by its own names."""
    state = {name: torch.zeros(t.shape) for name, t in adapter.state().items()}
    with safe_open(folder.file, "pt") as f:
        for path, site in sites.items():
            down, up = (f.get_tensor(f"{PREFIX}{path}.lora_{side}.weight").float() for side in "AB")
            at = f"deltas.{site.name.replace('.', '/')}"
            state[f"{at}.down"][: len(down)] = down
            state[f"{at}.up"][:, : len(down)] = _scale(folder.config, path, len(down)) * up
        for name in ("weight", "bias"):
            state[f"head.{name}"] = f.get_tensor(f"{PREFIX}{head}.{name}").float()
    return state


def _scale(config: Mapping, path: str, rank: int) -> float:
    """s of the linear at `path`; `BadAdapter` if its rank is none, or not what the config says."""
    if rank < 1:
        raise BadAdapter(f"this LoRA has rank {rank} at {path}, and it takes at least 1.")
    said = _of_pattern(config.get("rank_pattern") or {}, path, config.get("r", 8))
    alpha = _of_pattern(config.get("alpha_pattern") or {}, path, config.get("lora_alpha", 8))
    if said != rank:
        raise BadAdapter(f"{CONFIG} says rank {said} at {path}, but its tensors have {rank}.")
    return alpha / (sqrt(rank) if config.get("use_rslora") else rank)


def _of_pattern(pattern: Mapping[str, Any], path: str, otherwise):
    """peft matches these keys as regular expressions at the end of a path; here they are plain names."""
    return next(
        (v for key, v in pattern.items() if path == key or path.endswith(f".{key}")), otherwise
    )


def _check_config(config: Mapping) -> None:
    if config.get("peft_type") != "LORA":
        raise BadAdapter(
            f"this is a {str(config.get('peft_type'))[:50]} of peft, and only its LORA is read here."
        )
    for key, value in config.items():
        if value and key not in READ | HARMLESS and PLAIN.get(key) != value:
            raise BadAdapter(
                f"this LoRA sets {key[:50]} = {str(value)[:50]}, which is not read here."
            )
    if config.get("init_lora_weights") not in STARTS:
        start = str(config["init_lora_weights"])[:50]
        raise BadAdapter(
            f"this LoRA was started with {start}, which changes the backbone, so it does not fit it alone."
        )
    for key in ("rank_pattern", "alpha_pattern"):
        pattern = config.get(key) or {}
        if not isinstance(pattern, dict) or not all(
            re.fullmatch(r"[\w.]+", name) for name in pattern
        ):
            raise BadAdapter(
                f"the {key} of this LoRA is no table of plain module names, and others are not read here."
            )
        _check_numbers(key, pattern.values())
    _check_numbers("r or lora_alpha", (config.get("r", 8), config.get("lora_alpha", 8)))


def _check_numbers(what: str, values) -> None:
    for value in values:
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= 1e9:
            raise BadAdapter(
                f"{what} in {CONFIG} holds {str(value)[:50]!r}, which is no number it can be."
            )


def _read_json(file: Path) -> dict:
    try:
        plain = json.loads(file.read_bytes()) if file.stat().st_size <= JSON_LIMIT else None
    except (ValueError, RecursionError):
        plain = None
    if not isinstance(plain, dict):
        raise BadAdapter(f"{file.name} is no JSON object of a sane size.")
    return plain
