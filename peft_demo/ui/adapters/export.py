"""An adapter for other programs: as a LoRA of peft, as ONNX, or merged into plain timm weights."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import gradio as gr

from ...contracts.errors import BadValue, PeftDemoError
from ...contracts.service import Zoo
from .. import text
from ..files import offer
from ..toasts import speaking
from ..wiring import UNQUEUED, Part, Updates
from . import delivery

ABOUT = (
    "What another program has no place for is said here, and nothing is written. "
    "ONNX and merged weights hold the backbone too."
)
NEAREST = 16
"""Rank of the LoRA that stands for an adapter which is none."""
MERGED = "Every tensor has timm's own name: load the file into a timm model."

Writer = Callable[[Zoo, str, Path], tuple[Path, Sequence[str]]]
"""(zoo, id, folder) → the file that was written there, and notes about it."""


@dataclass(frozen=True)
class Export:
    buttons: tuple[gr.Button, ...]
    """In the order of `FORMATS`."""
    notes: gr.Markdown
    file: gr.DownloadButton

    @property
    def outputs(self) -> list[Part]:
        return [self.notes, self.file]


def build(file: gr.DownloadButton) -> Export:
    """Draws this part into the open context; `file` is what the browser saves from."""
    with gr.Accordion("For other programs", open=False, elem_id="export"):
        gr.Markdown(ABOUT)
        with gr.Row():
            buttons = tuple(gr.Button(words, size="md") for words, _ in FORMATS)
        notes = gr.Markdown("", elem_id="export-notes")
    return Export(buttons, notes, file)


def connect(part: Export, chosen: gr.State, zoo: Zoo) -> None:
    """Connects the events; another adapter takes the notes away."""
    for button, (_, write) in zip(part.buttons, FORMATS, strict=True):
        made = button.click(
            exporter(part, write, zoo),
            chosen,
            part.outputs,
            api_visibility="private",
            show_progress_on=[part.notes],
            concurrency_id="export",
            concurrency_limit=1,
        )
        delivery.then_save(made, part.file)
    chosen.change(lambda: "", None, part.notes, **UNQUEUED)


def exporter(part: Export, write: Writer, zoo: Zoo):
    """The handler that writes the chosen adapter; a refusal stands where the notes would."""

    @speaking
    def export(id: str) -> Updates:
        if not id:
            raise BadValue("no adapter is chosen.", "Open one first.")
        try:
            with delivery.workplace() as folder:
                file, notes = write(zoo, id, folder)
                return {part.notes: text.bullets(notes), part.file: offer(file)}
        except PeftDemoError as error:
            reason = text.plain(text.sentence(str(error)))
            return {part.notes: f"**Not written.** {reason}", part.file: None}

    return export


def to_peft(zoo: Zoo, id: str, folder: Path, rank: int = 0) -> tuple[Path, Sequence[str]]:
    """A zip of the folder that huggingface/peft loads; with a `rank` of the nearest LoRA."""
    written = folder / "peft"
    notes = zoo.export(id, "peft", written, rank)
    files = {f"{id}/{file.name}": file for file in sorted(written.iterdir())}
    name = f"{id}-peft-rank-{rank}.zip" if rank else f"{id}-peft.zip"
    return delivery.write_zip(folder / name, files), notes


def to_onnx(zoo: Zoo, id: str, folder: Path) -> tuple[Path, Sequence[str]]:
    target = folder / f"{id}.onnx"
    return target, zoo.export(id, "onnx", target)


def merged(zoo: Zoo, id: str, folder: Path) -> tuple[Path, Sequence[str]]:
    target = folder / f"{id}-merged.safetensors"
    zoo.merge(id, target)
    return target, (MERGED,)


FORMATS: tuple[tuple[str, Writer], ...] = (
    ("peft (zip)", to_peft),
    (f"Nearest LoRA of rank {NEAREST} (zip)", partial(to_peft, rank=NEAREST)),
    ("ONNX", to_onnx),
    ("Merged timm weights", merged),
)
"""(words on the button, what writes it)"""
