"""Which architecture a weights file fills, where nobody says it: by its name, or by its tensors."""

import re
from collections.abc import Mapping
from pathlib import Path

from torch import Tensor

from ..contracts.errors import BadBackbone
from .fit import fit
from .formats.npz import Layout
from .source import timm_names

WORDS = {192: "tiny", 384: "small", 768: "base", 1024: "large", 1280: "huge", 1536: "giant"}
"""D → the word for it in timm's names."""
GOOGLE_WORDS = {"Ti": "tiny", "S": "small", "B": "base", "L": "large", "H": "huge"}
"""ViT-B_16.npz is a base model."""


def arch_in_name(file: Path) -> str:
    """The timm name, or Google's, that the file's name starts with; "" if there is none."""
    google = re.match(r"(?:ViT-)?(Ti|S|B|L|H)[_-](\d+)\b", file.name)
    if google:
        name = f"vit_{GOOGLE_WORDS[google[1]]}_patch{google[2]}_224"
        return name if name in timm_names() else ""
    fitting = [name for name in timm_names() if _starts_with_word(file.name, name)]
    return max(fitting, key=len, default="")


def arch_of_layout(layout: Layout) -> str:
    """A timm name for a plain ViT of this layout; "" if there is none."""
    word = WORDS.get(layout.width, "?")
    sizes = (layout.side * layout.patch, 224)
    names = [f"vit_{word}_patch{layout.patch}_{size}" for size in sizes]
    return next((name for name in names if name in timm_names()), "")


def arch_of_tensors(tensors: Mapping[str, Tensor]) -> str:
    """A common timm name that the tensors fill; "" if none is known."""
    for name in _candidates(tensors):
        if name in timm_names() and _fits(tensors, name):
            return name
    return ""


def ask_for_arch(title: str, suggestion: str) -> BadBackbone:
    """The error of a file whose architecture nobody has told."""
    sentence = f"which architecture {title} fills cannot be told from its name."
    if not suggestion:
        return BadBackbone(sentence, "Add --arch NAME, a timm name like vit_base_patch16_224.")
    return BadBackbone(sentence, f"Its tensors are those of {suggestion}: add --arch {suggestion}.")


def _candidates(tensors: Mapping[str, Tensor]) -> list[str]:
    kernel = tensors["patch_embed.proj.weight"]
    word = WORDS.get(kernel.shape[0], "?")
    stem = f"{word}_patch{kernel.shape[-1]}"
    if "layers.0.blocks.0.norm1.weight" in tensors:
        return []
    if "reg_token" in tensors:
        return [f"vit_{stem}_reg4_dinov2"]
    if "blocks.0.ls1.gamma" in tensors:
        return [f"vit_{stem}_dinov2", f"deit3_{stem}_224"]
    return [f"vit_{stem}_224", f"vit_{stem}_384", f"vit_{stem}_clip_224", f"vit_{stem}_siglip_224"]


def _fits(tensors: Mapping[str, Tensor], arch: str) -> bool:
    try:
        fit(tensors, arch, "it")
    except BadBackbone:
        return False
    return True


def _starts_with_word(text: str, word: str) -> bool:
    return text.startswith(word) and not re.match(r"\w", text[len(word) :])
