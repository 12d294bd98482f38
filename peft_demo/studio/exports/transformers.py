"""transformers: the same folder as for peft, on a `ViTForImageClassification` with q, k and v
apart, and the lines of Python that make that model of timm's weights.

transformers 5 renamed the parts of a ViT, and peft does not turn the older names of a folder into
them, so there is a format for each.
"""

from collections.abc import Sequence
from pathlib import Path

from ...contracts.errors import BadValue, CannotExport
from ...interop.plain_model import transformers_parts, transformers_settings
from ...interop.transformers_names import SIGLIP, VIT_4, VIT_5, Layout, layout_for, naming_of
from . import Export, Subject
from .peft import frozen_model, write_lora


def write(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is a new folder afterwards for transformers 5. Raises `CannotExport`."""
    return _write(out, subject, VIT_5)


def write_4(out: Path, subject: Subject) -> Sequence[str]:
    """`out` is a new folder afterwards for transformers 4. Raises `CannotExport`."""
    return _write(out, subject, VIT_4)


def _write(out: Path, subject: Subject, vit: Layout) -> Sequence[str]:
    backbone = subject.backbone
    try:
        layout = layout_for(backbone, vit)
    except BadValue as error:
        raise CannotExport(error.sentence, "Use `export --to peft`, on timm's model.") from None
    naming = naming_of(layout, backbone.anatomy)
    code = _code(subject, layout)
    notes = write_lora(out, subject, code, naming=naming)
    return (
        *notes,
        f"its names are those of a {layout.title}; README.md makes one of timm's weights.",
    )


def _code(subject: Subject, layout: Layout) -> str:
    """Python that makes transformers' model of timm's weights, and loads the folder."""
    backbone = subject.backbone
    depth = backbone.anatomy.depth
    imports, model, more = (_siglip if layout is SIGLIP else _vit)(subject)
    return f"""import timm
from peft import PeftModel
from safetensors.torch import load_file
from transformers import {imports}

{frozen_model(subject)}
model.set_input_size(img_size={backbone.size})
frozen = model.state_dict()
for name in [name for name in frozen if ".qkv." in name]:
    for part, rows in zip("qkv", frozen[name].chunk(3)):
        frozen[name.replace(".qkv.", f".{{part}}.")] = rows

names = {{"patch_embed.proj": "{layout.patch}", "norm": "{layout.norm}"}}
parts = {transformers_parts(layout)}
for i in range({depth}):
    block = f"{layout.block.format("{i}")}"
    names |= {{f"blocks.{{i}}.{{old}}": f"{{block}}.{{new}}" for old, new in parts.items()}}
tensors = {{{more}}}
for old, new in names.items():
    for kind in ("weight", "bias"):
        if f"{{old}}.{{kind}}" in frozen:
            tensors[f"{{new}}.{{kind}}"] = frozen[f"{{old}}.{{kind}}"]

{model}
missing, unexpected = model.load_state_dict(tensors, strict=False)
assert not unexpected and all(name.startswith("classifier.") for name in missing)
model = PeftModel.from_pretrained(model, ".").eval()
# model(images).logits: images [B 3 {backbone.size} {backbone.size}] to logits"""


def _vit(subject: Subject) -> tuple[str, str, str]:
    """What is imported, the model's Python, and further tensors."""
    biased = subject.backbone.anatomy.sites["blocks.0.q"].bias
    settings = f"{_settings(subject)}, qkv_bias={biased}, num_labels={len(subject.card.classes)}"
    return (
        "ViTConfig, ViTForImageClassification",
        f"model = ViTForImageClassification(ViTConfig({settings}))",
        '"vit.embeddings.cls_token": frozen["cls_token"], '
        '"vit.embeddings.position_embeddings": frozen["pos_embed"]',
    )


def _siglip(subject: Subject) -> tuple[str, str, str]:
    """The same for a SigLIP, without the head that pools by attention."""
    vision = f"dict({_settings(subject)}, vision_use_head=False)"
    config = f"SiglipConfig(vision_config={vision}, num_labels={len(subject.card.classes)})"
    return (
        "SiglipConfig, SiglipForImageClassification",
        f"model = SiglipForImageClassification({config})",
        '"vision_model.embeddings.position_embedding.weight": frozen["pos_embed"][0]',
    )


def _settings(subject: Subject) -> str:
    """The numbers of the model, as arguments of a config."""
    settings = transformers_settings(subject.backbone)
    return ", ".join(f"{name}={value!r}" for name, value in settings.items())


TRANSFORMERS = Export("transformers", write)
TRANSFORMERS_4 = Export("transformers4", write_4)
