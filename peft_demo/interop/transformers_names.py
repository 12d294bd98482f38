"""The names of transformers' image classifiers, and which backbones of ours they are.

A `ViTForImageClassification` is timm's plain Vision Transformer (ViT, DeiT without distillation), a
`SiglipForImageClassification` timm's `vit_*_siglip_gap_*`: the same maps in the same order under
other names, with q, k and v as three linears. transformers 5 renamed the parts of a ViT; files of
both are read. What only looks alike (another pooling, layer scales, a distillation token) is
refused with the difference, since its logits would differ without a word.

Not told by names, and to be the same in both: the epsilon of the norms (timm's is 1e-6, a
`ViTConfig` has 1e-12 by default) and the kind of GELU.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from timm.layers.mlp import Mlp
from timm.models.vision_transformer import VisionTransformer
from torch import nn

from ..contracts.errors import BadValue
from ..vit import Anatomy, Backbone
from .naming import Naming

HEAD = "classifier"


@dataclass(frozen=True)
class Layout:
    """A class of transformers: what its parts are called, and how it pools."""

    title: str
    start: str
    """How the names of all parts but the head begin."""
    block: str
    """The path of a block, with "{}" for its index."""
    parts: Mapping[str, str]
    """Role of a site in a block → its path in the block."""
    norm: str
    patch: str
    prefix: int
    """Tokens before the patches."""
    pool: str
    """"token" for the class token, "avg" for the mean of the patches, as timm calls it."""


VIT_4 = Layout(
    title="ViTForImageClassification of transformers 4",
    start="vit.",
    block="vit.encoder.layer.{}",
    parts={
        "q": "attention.attention.query",
        "k": "attention.attention.key",
        "v": "attention.attention.value",
        "proj": "attention.output.dense",
        "fc1": "intermediate.dense",
        "fc2": "output.dense",
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
    },
    norm="vit.layernorm",
    patch="vit.embeddings.patch_embeddings.projection",
    prefix=1,
    pool="token",
)
VIT_5 = replace(
    VIT_4,
    title="ViTForImageClassification",
    block="vit.layers.{}",
    parts={
        "q": "attention.q_proj",
        "k": "attention.k_proj",
        "v": "attention.v_proj",
        "proj": "attention.o_proj",
        "fc1": "mlp.fc1",
        "fc2": "mlp.fc2",
        "norm1": "layernorm_before",
        "norm2": "layernorm_after",
    },
)
SIGLIP = Layout(
    title="SiglipForImageClassification",
    start="vision_model.",
    block="vision_model.encoder.layers.{}",
    parts={
        "q": "self_attn.q_proj",
        "k": "self_attn.k_proj",
        "v": "self_attn.v_proj",
        "proj": "self_attn.out_proj",
        "fc1": "mlp.fc1",
        "fc2": "mlp.fc2",
        "norm1": "layer_norm1",
        "norm2": "layer_norm2",
    },
    norm="vision_model.post_layernorm",
    patch="vision_model.embeddings.patch_embedding",
    prefix=0,
    pool="avg",
)
LAYOUTS = (VIT_4, VIT_5, SIGLIP)

STRANGERS = {
    "deit.": "a DeiT of transformers has a distillation token, which no backbone here has. DeiTs"
    " without distillation are ViTForImageClassification there, and are read.",
    "dinov2.": "the classifier of a DINOv2 of transformers reads the class token and the mean of"
    " the patches side by side, and a head here reads one of them.",
    "dinov2_with_registers.": "the classifier of a DINOv2 of transformers reads the class token and"
    " the mean of the patches side by side, and a head here reads one of them.",
    "beit.": "a BEiT adds relative positions to its attention, which no backbone here does.",
    "swin.": "the names of a Swin of transformers are not read here; those of timm's Swin are.",
}
"""How the names of models begin that are not ours, and what is different in them."""

OTHERS = {
    "CLIPForImageClassification": "a CLIPForImageClassification averages the patches before its"
    " last norm, and every backbone here pools after it.",
}
"""The same of classes whose parts are called as those of a layout."""


def transformers_naming(
    paths: Iterable[str], model_class: str, backbone: Backbone
) -> Naming | None:
    """The naming that a file's `paths` are of, None where they are not transformers'.

    `model_class` is what the file says it was made on, "" where it says nothing. `BadValue` says
    why a model of theirs is not the `backbone`.
    """
    starts = tuple({path.partition(".")[0] + "." for path in paths})
    for start, reason in STRANGERS.items():
        if start in starts:
            raise BadValue(reason, "Train it on timm's model, or on another one.")
    layouts = [layout for layout in LAYOUTS if layout.start in starts]
    if not layouts:
        return None
    if model_class and model_class not in {layout.title for layout in layouts}:
        reason = OTHERS.get(model_class, f"{model_class} is no model of transformers that is read.")
        raise BadValue(reason, "Train it on timm's model, or on another one.")
    check_same(layouts[-1], backbone)
    sites = {}
    for layout in layouts:
        sites |= naming_of(layout, backbone.anatomy).sites
    return Naming(sites, HEAD)


def naming_of(layout: Layout, anatomy: Anatomy) -> Naming:
    """The paths of the sites of a plain Vision Transformer in a model of this layout."""
    sites = {}
    for site in anatomy.sites.values():
        if site.role in layout.parts:
            sites[f"{layout.block.format(site.block)}.{layout.parts[site.role]}"] = site
        elif site.role == "norm":
            sites[layout.norm] = site
        elif site.role == "patch":
            sites[layout.patch] = site
    return Naming(sites, HEAD)


def layout_for(backbone: Backbone, vit: Layout) -> Layout:
    """The layout of the class that computes what `backbone` does: `vit`, or that of a SigLIP.

    `BadValue` says what neither has.
    """
    layout = SIGLIP if getattr(backbone.model, "global_pool", "") == SIGLIP.pool else vit
    check_same(layout, backbone)
    return layout


def check_same(layout: Layout, backbone: Backbone) -> None:
    """`BadValue` names what `backbone` has and a model of this layout has not."""
    difference = _difference(layout, backbone.model)
    if difference:
        raise BadValue(
            f"{backbone.name} is not a {layout.title}: it has {difference}.",
            "Choose the backbone with the same weights.",
        )


def _difference(layout: Layout, model: nn.Module) -> str:
    """What is different in `model`, "" for nothing."""
    if not isinstance(model, VisionTransformer):
        return f"the anatomy of a {type(model).__name__}"
    if model.global_pool != layout.pool:
        return f"the pooling {model.global_pool!r}, and not {layout.pool!r}"
    if model.num_prefix_tokens != layout.prefix or (layout.prefix and model.no_embed_class):
        return "other tokens before its patches"
    if isinstance(model.norm, nn.Identity):
        return "no norm before it pools"
    outside = {"norm before its blocks": model.norm_pre, "norm after pooling": model.fc_norm}
    inside = {name: part for block in model.blocks for name, part in _extra_parts(block).items()}
    for name, part in {**outside, **inside}.items():
        if not isinstance(part, nn.Identity):
            return f"a {name}"
    if any(type(block.get_submodule("mlp.map")) is not Mlp for block in model.blocks):
        return "gated MLPs"
    return ""


def _extra_parts(block: nn.Module) -> dict[str, nn.Module]:
    """What a plain block has not, by its name."""
    attention = block.get_submodule("attn.map")
    return {
        "layer scale": block.get_submodule("attn.scale"),
        "second layer scale": block.get_submodule("mlp.scale"),
        "norm of its queries": attention.get_submodule("q_norm"),
        "norm inside its attention": attention.get_submodule("norm"),
        "gate in its attention": getattr(attention, "gate", None) or nn.Identity(),
        "norm inside its MLPs": block.get_submodule("mlp.map.norm"),
    }
