"""An adapter for other programs: as a LoRA of peft, a model of timm, ONNX, or a page of its own."""

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
    "All but peft's hold the backbone too."
)
NEAREST = 16
"""Rank of the LoRA that stands for an adapter which is none."""

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


def to_folder(
    zoo: Zoo, id: str, folder: Path, to: str, rank: int = 0
) -> tuple[Path, Sequence[str]]:
    """A zip of the folder that is written in the format `to`; with a `rank` of the nearest LoRA."""
    written = folder / to
    notes = zoo.export(id, to, written, rank)
    files = {f"{id}/{file.name}": file for file in sorted(written.iterdir())}
    name = f"{id}-{to}-rank-{rank}.zip" if rank else f"{id}-{to}.zip"
    return delivery.write_zip(folder / name, files), notes


def to_onnx(zoo: Zoo, id: str, folder: Path) -> tuple[Path, Sequence[str]]:
    target = folder / f"{id}.onnx"
    return target, zoo.export(id, "onnx", target)


FORMATS: tuple[tuple[str, Writer], ...] = (
    ("peft (zip)", partial(to_folder, to="peft")),
    (f"Nearest LoRA of rank {NEAREST} (zip)", partial(to_folder, to="peft", rank=NEAREST)),
    ("transformers (zip)", partial(to_folder, to="transformers")),
    ("timm model (zip)", partial(to_folder, to="timm")),
    ("ONNX", to_onnx),
    ("A Space of its own (zip)", partial(to_folder, to="space")),
    ("A page for browsers (zip)", partial(to_folder, to="web")),
)
"""(words on the button, what writes it)"""
