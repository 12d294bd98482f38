"""The `probe.json` of a folder."""

from dataclasses import replace
from pathlib import Path

from ...adapters import AdapterFile
from ...contracts.errors import BadAdapter
from ...contracts.probes import FILE, LIMIT, Probes, nothing_kept
from ...contracts.text import shortened
from ...inference import Attached
from ...inference.runner import ModelRunner
from ...inference.verification import verify
from ...interop.peft_config import CONFIG
from ...storage.header import open_binary
from ...storage.paths import is_file, is_folder
from ...vit import Backbone


def kept_in(folder: Path) -> Probes:
    """What the adapter in `folder` answered when it was written; `BadAdapter` says why not."""
    name = shortened(folder.name)
    if not is_file(folder / FILE):
        raise nothing_kept(name)
    with open_binary(folder / FILE, BadAdapter) as stream:
        content = stream.read(LIMIT + 1)
    return Probes.parse(content, f"{name}/{FILE}")


def check_import(source: Path, file: AdapterFile, backbone: Backbone, renamed: bool) -> None:
    """`BadAdapter` unless `file`, which was made of the folder of peft's at `source`, answers as
    its `probe.json` says; a folder without one says nothing.

    `renamed` is whether a person has said what the classes are called.
    """
    folder = source if is_folder(source) else source.parent
    if not is_file(folder / CONFIG) or not is_file(folder / FILE):
        return
    kept = kept_in(folder)
    if renamed:
        kept = replace(kept, classes=file.card.classes)
    attached = Attached.of_file(file, backbone)
    result = verify(ModelRunner.of(attached), kept, shortened(folder.name))
    if not result.agrees:
        raise BadAdapter(
            f"{folder.name} is not taken in. {result.sentence}", " ".join(result.notes)
        )
