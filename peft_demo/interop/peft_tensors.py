"""The tensors of a LoRA of huggingface/peft by the paths of its linears, judged by their header."""

import re
from collections.abc import Mapping

from ..contracts.errors import BadAdapter
from ..contracts.text import quoted
from ..methods.lora import TARGETS
from ..vit import Backbone, Site
from .naming import Naming
from .peft_config import biases, method_of
from .peft_folder import PREFIX, PeftFolder

DTYPES = ("F32", "F16", "BF16")

DOWN = "lora_A.weight"
UP = "lora_B.weight"
SHIFT = "lora_B.bias"
MAGNITUDE = "lora_magnitude_vector"
BIAS = "bias"
BASE_BIAS = "base_layer.bias"
"""The bias of an adapted linear, as newer versions of peft call it."""
OWN_BIAS = {BIAS, BASE_BIAS}

_NAME = re.compile(
    rf"{re.escape(PREFIX)}(.+?)\.({'|'.join(map(re.escape, (DOWN, UP, SHIFT, MAGNITUDE)))}"
    rf"|{re.escape(BASE_BIAS)}|{BIAS})"
)


def tensors_by_path(folder: PeftFolder) -> dict[str, set[str]]:
    """The kinds of tensors of each path that is adapted or whose bias is there."""
    found: dict[str, set[str]] = {}
    for name in folder.header.tensors:
        match = _NAME.fullmatch(name)
        if match:
            found.setdefault(match[1], set()).add(match[2])
    return found


def check_paths(
    folder: PeftFolder, found: Mapping[str, set[str]], naming: Naming, backbone: Backbone
) -> None:
    """`BadAdapter` unless a LoRA of ours can stand at every adapted path, and stands there once."""
    adapted = [path for path, kinds in found.items() if DOWN in kinds]
    if not adapted:
        raise BadAdapter("this LoRA has no lora_A tensor of a Vision Transformer.")
    method = method_of(folder.config)
    taken = set()
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
        if site.name in taken:
            raise BadAdapter(f"this LoRA adapts {site.name} under two names, {path} is one.")
        taken.add(site.name)


def check_tensors(
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
        if name in expected:
            raise BadAdapter(f"this is no LoRA with a head: it lacks {quoted(name)}.")
        raise BadAdapter(
            f"this LoRA has an unexpected tensor {quoted(name)}.",
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
