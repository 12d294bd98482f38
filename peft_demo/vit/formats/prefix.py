"""What stands before every name of a checkpoint, taken off.

`module.` (DataParallel), `model.` (Lightning), `_orig_mod.` (torch.compile), `visual.trunk.`
(OpenCLIP), `backbone.`, `encoder.`, `student.` and `teacher.` (DINO), `vit.` (transformers), or
several of them: it is whatever stands before the patch embedding, which every Vision Transformer
has once."""

from collections import Counter
from collections.abc import Collection, Mapping

from torch import Tensor

from ...contracts.errors import BadBackbone

PATCH_EMBEDDINGS = ("patch_embed.proj.weight", "embeddings.patch_embeddings.projection.weight")
"""timm's name and transformers'."""
AVERAGED = ("teacher", "ema", "model_ema", "ema_model", "state_dict_ema")
"""What the moving average of a model is called beside it."""
HEADS = ("head", "head_dist", "classifier", "cls_classifier", "distillation_classifier")
"""What follows the backbone is never taken over, and needs no word."""

_TIMM_HINT = "Bring the same model under timm's names: timm.create_model(NAME, pretrained=True)."
_OTHERS = (
    ("lora_", "an adapter and not a backbone", "`import` reads adapters of peft."),
    ("visual.conv1.", "a CLIP under OpenAI's names, which are not read", _TIMM_HINT),
    ("vision_model.embeddings.", "a CLIP under transformers' names, not read here", _TIMM_HINT),
    ("conv_proj.", "a ViT under torchvision's names, which are not read", _TIMM_HINT),
    ("patch_embed.projection.", "a ViT under mmpretrain's names, which are not read", _TIMM_HINT),
)
"""(part of a tensor's name, what the file is, what to do), of files without a patch embedding."""


def strip_prefix(tensors: Mapping[str, Tensor], title: str) -> tuple[dict[str, Tensor], list[str]]:
    """The tensors of the one Vision Transformer, and sentences about what was taken off or left.

    Of a student and its teacher, the teacher is taken. `BadBackbone` if there is no Vision
    Transformer in `title`, or more than one.
    """
    prefix, others = _choose(_prefixes(tensors), tensors, title)
    inside = {}
    outside = []
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            inside[name.removeprefix(prefix)] = tensor
        else:
            outside.append(name)
    notices = []
    if others:
        notices.append(f"of the models under {_quoted([prefix, *others])}, {prefix!r} was taken.")
    elif prefix:
        notices.append(f"{prefix!r} was taken off the names.")
    return inside, notices + left_out(outside)


def left_out(names: Collection[str]) -> list[str]:
    """A sentence that names the tensors without a place, in groups; none for heads alone."""
    groups = Counter(name.split(".")[0] for name in names)
    listed = [f"{group} ({n})" for group, n in sorted(groups.items()) if group not in HEADS]
    return [f"left out: {', '.join(listed)}."] if listed else []


def _prefixes(names: Collection[str]) -> list[str]:
    """What stands before each patch embedding."""
    prefixes = set()
    for anchor in PATCH_EMBEDDINGS:
        prefixes |= {name.removesuffix(anchor) for name in names if name.endswith(anchor)}
    whole = {prefix for prefix in prefixes if not prefix or prefix.endswith(".")}
    return sorted(whole)


def _no_transformer(names: Collection[str], title: str) -> BadBackbone:
    """What a file without a patch embedding is, by the names of its tensors."""
    for mark, what, hint in _OTHERS:
        if any(mark in name for name in names):
            return BadBackbone(f"{title} is {what}.", hint)
    return BadBackbone(
        f"{title} has no patch embedding, so it is no Vision Transformer that is known here.",
        "Of a checkpoint in several files, save the whole model in one.",
    )


def _choose(prefixes: list[str], names: Collection[str], title: str) -> tuple[str, list[str]]:
    """The prefix to take, and those that are left."""
    if not prefixes:
        raise _no_transformer(names, title)
    if len(prefixes) == 1:
        return prefixes[0], []
    averaged = [prefix for prefix in prefixes if set(prefix.split(".")) & set(AVERAGED)]
    if len(averaged) != 1:
        raise BadBackbone(
            f"{title} holds several Vision Transformers, under {_quoted(prefixes)}.",
            "Save the one you mean in a file of its own.",
        )
    return averaged[0], [prefix for prefix in prefixes if prefix != averaged[0]]


def _quoted(prefixes: Collection[str]) -> str:
    return " and ".join(repr(prefix[:60]) for prefix in sorted(prefixes))
