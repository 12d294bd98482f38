"""A weights file, understood: what it is, and its tensors under timm's names.

Safetensors, Google's `.npz` and, where it is allowed, files of torch.save; under timm's names,
those of transformers or of the papers' own code; with or without a prefix before every name; with
the head and the extras of pretraining. `Checkpoint.notices` says what was met and what was done.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import safe_open
from safetensors.torch import load_file
from timm.models.vision_transformer import VisionTransformer
from torch import Tensor, nn

from ..contracts.errors import BadBackbone
from ..storage.header import read_header
from .fit import check_fit, fit, is_head, size_settings
from .formats.kinds import NPZ, PICKLE, kind_of
from .formats.names import to_timm_names
from .formats.npz import Layout, layout_of, read_npz
from .formats.pickled import SAVE_ALONE, read_pickled
from .formats.prefix import strip_prefix
from .guess import arch_in_name, arch_of_layout, arch_of_tensors, ask_for_arch
from .sites import patch_embed
from .source import HEADER_LIMIT, Source


@dataclass(frozen=True)
class Checkpoint:
    """Weights and the architecture they fill."""

    source: Source
    """The architecture and its settings."""
    tensors: Mapping[str, Tensor]
    """By timm's names, head and extras left out, in the dtype and at the image size of the file."""
    notices: tuple[str, ...]
    """What was converted, taken off, left out or of another size, in sentences."""


def read_checkpoint(file: Path, arch: str = "", pickles: bool = False) -> Checkpoint:
    """What the file holds, as a timm `arch`; "" takes the name that the file's name starts with.

    Only with `pickles` are files of torch.save opened, in a process of their own. `BadBackbone`
    says what does not fit, and which architecture the tensors are.
    """
    kind = kind_of(file)
    arch = arch or arch_in_name(file)
    if kind == NPZ:
        return _google(file, arch)
    if kind == PICKLE:
        tensors = _unpickled(file, pickles)
    else:
        read_header(file, HEADER_LIMIT, BadBackbone)
        tensors = load_file(file)
    inside, notices = strip_prefix(tensors, file.name)
    named, conversions = to_timm_names(inside)
    notices += conversions
    if not arch:
        raise ask_for_arch(file.name, arch_of_tensors(named))
    source, kept, fitting = _fitted(named, arch, file.name)
    return Checkpoint(source, kept, tuple(notices + fitting))


def read_tensors(source: Source, expected: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors of a bundled or registered backbone, in the dtype they have in its file;
    `expected` are those of its model.

    `BadBackbone` names the first that is missing, unexpected or of another shape; nothing but the
    header has been read by then.
    """
    file = source.local_file
    header = read_header(file, HEADER_LIMIT, BadBackbone)
    names = [name for name in header.tensors if not is_head(name, source.arch)]
    with safe_open(file, "pt") as opened:
        tensors = {name: opened.get_tensor(name) for name in names}
    check_fit(tensors, expected, source.arch, file.name)
    return tensors


def _unpickled(file: Path, allowed: bool) -> dict[str, Tensor]:
    if not allowed:
        raise BadBackbone(
            f"{file.name} is a pickle, as torch.save writes, which can run code when it is read.",
            f"Register it on the command line with `backbones add`. {SAVE_ALONE}",
        )
    return read_pickled(file)


def _fitted(
    tensors: Mapping[str, Tensor], arch: str, title: str
) -> tuple[Source, dict[str, Tensor], list[str]]:
    """As `fit`; an error also says which architecture the tensors would fill."""
    try:
        return fit(tensors, arch, title)
    except BadBackbone as error:
        better = "" if "dist_token" in tensors else arch_of_tensors(tensors)
        if not better:
            raise
        hint = f"{error.hint} Its tensors are those of {better}: add --arch {better}."
        raise BadBackbone(error.sentence, hint.strip()) from None


def _google(file: Path, arch: str) -> Checkpoint:
    layout = layout_of(file)
    suggestion = arch_of_layout(layout)
    if not arch:
        raise ask_for_arch(file.name, suggestion)
    model = Source(arch, arch, arch).empty()
    _check_layout(layout, model, arch, file.name, suggestion)
    settings, notices = size_settings(arch, layout.side, model)
    source = Source(arch, arch, arch, kwargs=tuple(settings.items()))
    tensors = read_npz(file, source)
    conversion = "its arrays are those of Google's JAX code; they were turned into timm's tensors."
    return Checkpoint(source, tensors, (conversion, *notices))


def _check_layout(layout: Layout, model: nn.Module, arch: str, title: str, suggestion: str) -> None:
    """`BadBackbone` if the architecture has other blocks or patches."""
    if not isinstance(model, VisionTransformer):
        raise BadBackbone(f"{arch} is no plain Vision Transformer, and {title} holds one.")
    patch = patch_embed(model).proj.kernel_size[0]
    if (layout.width, layout.depth, layout.patch) != (model.embed_dim, len(model.blocks), patch):
        raise BadBackbone(
            f"{title} is not a {arch}: it has {layout.depth} blocks of width {layout.width} and "
            f"patches of {layout.patch} px, expected {len(model.blocks)} of width "
            f"{model.embed_dim} and {patch} px.",
            f"Add --arch {suggestion}." if suggestion else "",
        )
