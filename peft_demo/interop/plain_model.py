"""The plain models that other programs put an adapter on, made of a backbone's own weights: timm's,
and transformers' with q, k and v apart."""

from collections.abc import Mapping
from typing import Any, cast

import timm
from timm.layers.activations import GELUTanh, QuickGELU
from timm.layers.attention import Attention
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from ..adapters.merge import tensors_of
from ..contracts.errors import BadValue, CannotExport
from ..vit import Backbone
from ..vit.architecture import set_size
from ..vit.source import timm_names
from .transformers_names import SIGLIP, Layout

ACTIVATIONS: dict[type[nn.Module], str] = {
    nn.GELU: "gelu",
    GELUTanh: "gelu_pytorch_tanh",
    QuickGELU: "quick_gelu",
}
"""timm's class → transformers' name."""

TIMM = {
    "q": "attn.q",
    "k": "attn.k",
    "v": "attn.v",
    "proj": "attn.proj",
    "fc1": "mlp.fc1",
    "fc2": "mlp.fc2",
}
"""Role of a linear → timm's path in a block, with q, k and v apart."""


def empty_timm_model(arch: str, arguments: Mapping[str, Any], size: int, classes: int) -> nn.Module:
    """timm's model with random weights; `BadValue` if there is none like that."""
    if arch not in timm_names():
        raise BadValue(f"timm has no model {arch[:100]!r}.")
    try:
        model = timm.create_model(arch, pretrained=False, num_classes=classes, **arguments)
    except (RuntimeError, TypeError, ValueError, AssertionError) as error:
        raise BadValue(f"timm cannot build {arch}: {str(error)[:200]}.") from None
    set_size(model, size)
    return model


def timm_model(backbone: Backbone, arguments: Mapping[str, Any], classes: int) -> nn.Module:
    """timm's model with the weights of `backbone` and a new head."""
    model = empty_timm_model(backbone.arch, arguments, backbone.size, classes)
    missing, unexpected = model.load_state_dict(tensors_of(backbone.model), strict=False)
    head = backbone.anatomy.head
    assert not unexpected and all(name.startswith(f"{head}.") for name in missing)
    return model.eval()


def transformers_model(backbone: Backbone, layout: Layout, classes: int) -> nn.Module:
    """transformers' model of this layout with the same; images [B 3 S S] → its own output.

    `BadValue` where the package is missing, or has other names for its parts.
    """
    try:
        import transformers
    except ImportError:
        raise BadValue(
            "this needs the package transformers.", "`pip install transformers`"
        ) from None
    settings = transformers_settings(backbone)
    if layout is SIGLIP:
        vision = {**settings, "vision_use_head": False}
        labels: dict[str, Any] = {"num_labels": classes}
        config = transformers.SiglipConfig(vision_config=vision, **labels)
        model = transformers.SiglipForImageClassification(config)
    else:
        biased = backbone.anatomy.sites["blocks.0.q"].bias
        settings |= {"qkv_bias": biased, "num_labels": classes}
        config = transformers.ViTConfig(**settings)
        model = transformers.ViTForImageClassification(config)
    tensors = transformers_tensors(backbone, layout)
    missing, unexpected = model.load_state_dict(tensors, strict=False)
    if unexpected or not all(name.startswith("classifier.") for name in missing):
        raise BadValue(
            f"transformers {transformers.__version__} has other names than a {layout.title}.",
            "Install the version that the folder was made for.",
        )
    return model.eval()


def transformers_settings(backbone: Backbone) -> dict[str, Any]:
    """The numbers of the model, as arguments of a config; `CannotExport` for an activation that is
    not there."""
    anatomy = backbone.anatomy
    tree = cast(VisionTransformer, backbone.model)
    activation = type(tree.get_submodule("blocks.0.mlp.map.act"))
    if activation not in ACTIVATIONS:
        raise CannotExport(f"transformers has no activation {activation.__name__}.")
    return {
        "hidden_size": anatomy.width,
        "num_hidden_layers": anatomy.depth,
        "num_attention_heads": cast(Attention, tree.get_submodule("blocks.0.attn.map")).num_heads,
        "intermediate_size": anatomy.sites["blocks.0.fc1"].d_out,
        "hidden_act": ACTIVATIONS[activation],
        "layer_norm_eps": cast(nn.LayerNorm, tree.norm).eps,
        "image_size": anatomy.size,
        "patch_size": anatomy.patch,
    }


def transformers_parts(layout: Layout) -> dict[str, str]:
    """timm's path in a block → transformers'."""
    return {TIMM.get(role, role): part for role, part in layout.parts.items()}


def transformers_tensors(backbone: Backbone, layout: Layout) -> dict[str, Tensor]:
    """The tensors of `backbone` under transformers' names."""
    frozen = tensors_of(backbone.model)
    for name in [name for name in frozen if ".qkv." in name]:
        for part, rows in zip("qkv", frozen.pop(name).chunk(3), strict=True):
            frozen[name.replace(".qkv.", f".{part}.")] = rows
    names = {"patch_embed.proj": layout.patch, "norm": layout.norm}
    for block in range(backbone.anatomy.depth):
        for old, new in transformers_parts(layout).items():
            names[f"blocks.{block}.{old}"] = f"{layout.block.format(block)}.{new}"
    tensors = _tokens(frozen, layout)
    for old, new in names.items():
        for kind in ("weight", "bias"):
            if f"{old}.{kind}" in frozen:
                tensors[f"{new}.{kind}"] = frozen[f"{old}.{kind}"]
    return tensors


def _tokens(frozen: Mapping[str, Tensor], layout: Layout) -> dict[str, Tensor]:
    """Class token and positions."""
    if layout is SIGLIP:
        name = "vision_model.embeddings.position_embedding.weight"
        return {name: frozen["pos_embed"][0]}
    return {
        "vit.embeddings.cls_token": frozen["cls_token"],
        "vit.embeddings.position_embeddings": frozen["pos_embed"],
    }
