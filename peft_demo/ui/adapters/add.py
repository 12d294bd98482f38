"""Add: adapter files, a LoRA of peft, zips of these, or what others share on the Hub."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ...contracts.cards import Taken
from ...contracts.errors import BadValue
from ...contracts.service import Hub, Zoo
from ...contracts.specs import ImportHints
from .. import backbones
from ..text import sentence
from ..toasts import speaking, toast
from ..wiring import UNQUEUED, Updates
from . import get

ABOUT = (
    "**From this computer:** adapter files, a LoRA of huggingface/peft (its `adapter_config.json` "
    "and `adapter_model.safetensors` together), or a zip of these."
)
KINDS = [".safetensors", ".json", ".zip"]


@dataclass(frozen=True)
class Add:
    panel: gr.Column
    is_open: gr.State
    drop: gr.File
    classes: gr.Textbox
    backbone: gr.Dropdown
    get: get.Get


def build(tab: gr.Tab, zoo: Zoo, offline: bool) -> Add:
    """Draws the closed panel into the open context."""
    with gr.Column(visible=False, elem_id="add-panel") as panel, gr.Row():
        with gr.Column(min_width=300):
            gr.Markdown(ABOUT)
            drop = gr.File(
                file_types=KINDS,
                file_count="multiple",
                show_label=False,
                label="Adapter files",
                height=140,
                elem_id="import",
            )
            classes = gr.Textbox(
                label="Classes, where the files do not name them",
                placeholder="cat, dog, horse (in the order of the head)",
                max_length=4000,
                elem_id="import-classes",
            )
            backbone = backbones.build_open(
                tab, zoo, "Frozen backbone, where the files do not prove it", "import-backbone"
            )
        with gr.Column(min_width=300):
            found = get.build(offline)
    return Add(panel, gr.State(False), drop, classes, backbone, found)


def connect(part: Add, button: gr.Button, zoo_changed: gr.State, zoo: Zoo, hub: Hub) -> None:
    """Connects the events; `button` opens and closes the panel."""
    button.click(_toggle, part.is_open, [part.panel, part.is_open], **UNQUEUED)
    part.drop.upload(
        taker(part, zoo_changed, zoo),
        [part.drop, part.classes, part.backbone, zoo_changed],
        [part.drop, zoo_changed],
        api_visibility="private",
    )
    get.connect(part.get, zoo_changed, hub)


def _toggle(is_open: bool) -> tuple[gr.Column, bool]:
    return gr.Column(visible=not is_open), not is_open


def taker(part: Add, zoo_changed: gr.State, zoo: Zoo):
    """The handler that takes what was dropped, and says of each what became of it, once."""

    @speaking
    def take(files: Sequence[str], classes: str, backbone: str | None, counter: int) -> Updates:
        names = tuple(" ".join(name.split()) for name in classes.split(",") if name.strip())
        hints = ImportHints(classes=names, backbone=backbone or "")
        taken = zoo.take_upload([Path(file) for file in files], hints)
        if not taken:
            raise BadValue("there is no adapter in these files.", "Add a .safetensors file.")
        for one in taken:
            toast(*words(one))
        added = any(one.id for one in taken)
        return {part.drop: None, zoo_changed: counter + added}

    return take


def words(taken: Taken) -> tuple[str, str]:
    """(level, sentence) of a toast about one adapter."""
    if taken.refusal:
        return "warning", f"Not added: {taken.name}. {sentence(taken.refusal)}"
    return "info", f"Added as {taken.id}"
