"""Whether tensors under timm's names fill an architecture, and with which settings of it."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from math import isqrt
from typing import Any

import torch
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from ..contracts.errors import BadBackbone
from .formats.prefix import HEADS, left_out
from .sites import image_size, patch_embed
from .source import Source, timm_config

FLOATS = (torch.float32, torch.float16, torch.bfloat16)
EXTRAS = ("mask_token", "decoder", "pre_logits", "pooler", "fc_norm")
"""First parts of the names of what only pretraining or another head needs (MAE, DINOv2)."""
BUFFERS = ("relative_position_index", "attn_mask")
"""Last parts of the names of what timm computes itself (Swin)."""


def fit(
    tensors: Mapping[str, Tensor], arch: str, title: str
) -> tuple[Source, dict[str, Tensor], list[str]]:
    """The architecture with the settings that the tensors need, its tensors, and sentences.

    The settings are the image size, which the position embedding tells, and average pooling for
    models that end in `fc_norm`. The head and known extras are left out; the extras are named.
    `BadBackbone` says of `title` what does not fit.
    """
    if "dist_token" in tensors:
        raise _distilled(title)
    source = Source(arch, arch, arch)
    settings, notices = _settings(tensors, source)
    source = replace(source, kwargs=tuple(sorted(settings.items())))
    expected = expected_tensors(source)
    body = {name: t for name, t in tensors.items() if name in expected or not is_head(name, arch)}
    extras = [name for name in body if name not in expected and _is_extra(name)]
    kept = {name: tensor for name, tensor in body.items() if name not in extras}
    check_fit(kept, expected, arch, title)
    _check_finite(kept, title)
    return source, kept, notices + left_out(extras)


def expected_tensors(source: Source) -> dict[str, Tensor]:
    """All tensors of an architecture without its head, by timm's names, on the meta device."""
    return dict(source.empty().state_dict())


def check_fit(
    tensors: Mapping[str, Tensor], expected: Mapping[str, Tensor], arch: str, title: str
) -> None:
    """`BadBackbone` names the first tensor that is missing, unexpected or of another shape."""
    missing = expected.keys() - tensors.keys()
    unexpected = tensors.keys() - expected.keys()
    if missing:
        sentence = f"{title} is not a {arch}: it lacks {min(missing)!r}."
        raise BadBackbone(sentence, _and_more(missing))
    if unexpected:
        sentence = f"{title} is not a {arch}: it has an unexpected {min(unexpected)[:200]!r}."
        raise BadBackbone(sentence, _and_more(unexpected))
    for name, like in expected.items():
        tensor = tensors[name]
        if tensor.dtype not in FLOATS:
            dtype = str(tensor.dtype).removeprefix("torch.")
            raise BadBackbone(
                f"{title} holds {name} as {dtype}; weights are read as float32, float16 or "
                "bfloat16.",
                "Save it in one of these: `{n: t.float() for n, t in tensors.items()}`.",
            )
        if tensor.shape != like.shape:
            dtype = str(tensor.dtype).removeprefix("torch.")
            raise BadBackbone(
                f"{title} is not a {arch}: {name} is {dtype} {list(tensor.shape)}, "
                f"expected {list(like.shape)}."
            )


def _check_finite(tensors: Mapping[str, Tensor], title: str) -> None:
    """`BadBackbone` for weights of a run that diverged, or that were too large for float16."""
    for name, tensor in tensors.items():
        if not tensor.is_meta and not bool(torch.isfinite(tensor).all()):
            raise BadBackbone(f"{title} holds values in {name} that are not finite (NaN or inf).")


def is_head(name: str, arch: str) -> bool:
    """Whether a tensor belongs to a classifier, which no backbone has."""
    classifier = timm_config(arch).classifier
    names = classifier if isinstance(classifier, list | tuple) else [classifier or "head"]
    own = {part.split(".")[0] for part in names}
    return name.split(".")[0] in own | set(HEADS)


def size_settings(arch: str, side: int, model: nn.Module) -> tuple[dict[str, Any], list[str]]:
    """The setting for positions of `side` by `side` patches in `arch`, and a sentence.

    Both are empty where the architecture, here as `model`, has as many.
    """
    patches = patch_embed(model)
    if side == patches.grid_size[0]:
        return {}, []
    size = side * patches.proj.kernel_size[0]
    notice = (
        f"its position embedding is for {size} px and not for the {image_size(model)} px of "
        f"{arch}; it is kept as it is, and `--size` resamples it."
    )
    return {"img_size": size}, [notice]


def _settings(tensors: Mapping[str, Tensor], source: Source) -> tuple[dict[str, Any], list[str]]:
    model = source.empty()
    settings: dict[str, Any] = {}
    notices: list[str] = []
    side = _side(tensors, model)
    if side:
        settings, notices = size_settings(source.arch, side, model)
    if _ends_in_average(tensors, model):
        settings["global_pool"] = "avg"
        notices.append("it ends in `fc_norm`: its features are the average of the patch tokens.")
    return settings, notices


def _side(tensors: Mapping[str, Tensor], model: nn.Module) -> int:
    """How many rows of patches the position embedding is for; 0 where that cannot be told."""
    positions = tensors.get("pos_embed")
    expected = getattr(model, "pos_embed", None)
    if positions is None or expected is None or positions.ndim != expected.ndim:
        return 0
    prefix = expected.shape[1] - patch_embed(model).num_patches
    side = isqrt(max(positions.shape[1] - prefix, 0))
    return side if side * side + prefix == positions.shape[1] else 0


def _ends_in_average(tensors: Mapping[str, Tensor], model: nn.Module) -> bool:
    """Whether the tensors have `fc_norm` where the architecture has `norm`."""
    if not isinstance(model, VisionTransformer) or isinstance(model.norm, nn.Identity):
        return False
    return "fc_norm.weight" in tensors and "norm.weight" not in tensors


def _is_extra(name: str) -> bool:
    parts = name.split(".")
    return parts[0] in EXTRAS or name.startswith("decoder_") or parts[-1] in BUFFERS


def _distilled(title: str) -> BadBackbone:
    return BadBackbone(
        f"{title} is a distilled DeiT: it answers with two tokens and two heads.",
        "Bring the same model without distillation, `deit_base_patch16_224` for example.",
    )


def _and_more(names: Collection[str]) -> str:
    return f"({len(names)} such tensors.)" if len(names) > 1 else ""
