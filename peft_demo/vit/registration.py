"""Taking in a backbone from a file: understood, fingerprinted, and kept under the person's home."""

import json
from dataclasses import replace
from pathlib import Path

import timm
from safetensors.torch import save_file

from ..contracts.cards import BackboneCard
from ..contracts.errors import UnknownName
from ..storage.atomic import atomic_write, write_file
from .architecture import anatomy_of
from .checkpoint import Checkpoint, read_checkpoint
from .fingerprint import fingerprint
from .guess import arch_in_name
from .local import FOLDER, local_card, timm_version
from .source import Source, timm_names


def register(
    file: Path, home: Path, arch: str = "", name: str = "", pickles: bool = False
) -> BackboneCard:
    """Reads a weights file and keeps its tensors under `home` for every command and the page.

    `arch` is a timm name; empty, it is guessed from the file's name. Files of torch.save are read
    with `pickles` alone. The card's notices say what was converted. `BadBackbone` says what does
    not fit.

    The fingerprint is taken over the tensors as they are kept: under timm's names, head and extras
    left out, q, k and v as one tensor, and at the file's own image size.
    """
    file = Path(file)
    arch = arch or arch_in_name(file)
    if arch and arch not in timm_names():
        raise UnknownName("timm architecture", arch, timm.list_models(["vit*", "deit*", "swin_*"]))
    if arch:
        anatomy_of(Source(arch, arch, arch))
    checkpoint = read_checkpoint(file, arch, pickles)
    anatomy = anatomy_of(checkpoint.source)
    source = replace(
        checkpoint.source,
        name=name or arch,
        title=f"{arch}, from {file.name}",
        fingerprint=fingerprint(checkpoint.tensors),
        size=anatomy.size,
        parameters=anatomy.parameters,
    )
    kept = _keep(source, checkpoint, home / FOLDER)
    return replace(local_card(kept), notices=checkpoint.notices)


def _keep(source: Source, checkpoint: Checkpoint, folder: Path) -> Source:
    """Writes the tensors, then the record that makes them count."""
    record = {
        "name": source.name,
        "title": source.title,
        "arch": source.arch,
        "kwargs": dict(source.kwargs),
        "fingerprint": source.fingerprint,
        "size": source.size,
        "parameters": source.parameters,
        "timm": timm_version(),
    }
    file = folder / f"{source.fingerprint[:32]}.safetensors"
    tensors = {name: tensor.contiguous() for name, tensor in checkpoint.tensors.items()}
    with atomic_write(file) as draft:
        save_file(tensors, draft, {"format": "pt"})
    write_file(file.with_suffix(".json"), json.dumps(record, indent=1).encode())
    return replace(source, file=file)
