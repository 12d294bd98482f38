"""Where images come from: one panel a source, of which the chosen one is shown.

To add a source: its title, a function like `_folder` that draws its panel, and a line in `build`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr
from gradio.components import Component

from ...contracts.cards import DatasetCard
from ...contracts.service import Data
from .. import text
from ..page import Page
from ..toasts import speaking
from ..wiring import QUEUED, UNQUEUED
from . import collect

ZIP = (
    "A zip with one folder per class, optionally under `train/`, `val/` and `test/`, "
    "or with a table of labels."
)
TITLES = {
    "bundled": "Bundled",
    "draft": "Collect",
    "upload": "Zip file",
    "folder": "Folder",
    "hub": "Hub dataset",
}
"""In the order in which they are offered."""
LINES = {
    "bundled": "digits, shapes, textures: to look around",
    "draft": "your own photos, by drop or webcam",
    "upload": "class folders, or a table of labels",
    "folder": "on the machine that runs this app",
    "hub": "an image dataset, by its name",
}
COLLECT = (
    "Name each class, then drop, paste or photograph a few images of it: five of each are a start. "
    "They stay on the machine that runs this app and survive a reload."
)


@dataclass(frozen=True)
class Panel:
    """What one source asks for."""

    column: gr.Column
    name: Component
    """Its value becomes the `name` of the `DataSpec`."""
    missing: str = ""
    """What to do where that value is empty."""


@dataclass(frozen=True)
class Sources:
    choice: gr.Radio
    """Its value is a key of `panels`."""
    panels: dict[str, Panel]
    bundled: gr.Dropdown
    upload: gr.File
    upload_key: gr.State
    """Where the store keeps the zip; "" for none."""
    cards: collect.Cards


def offered(offline: bool, allow_local_paths: bool) -> list[str]:
    """Sources that can be used here: no Hub when offline, folders only where they are allowed."""
    usable = {"folder": allow_local_paths, "hub": not offline}
    return [name for name in TITLES if usable.get(name, True)]


def build(page: Page, data: Data, names: Sequence[str]) -> Sources:
    """Draws the choice of a source, of which only `names` can be chosen, and all panels."""
    choice = gr.Radio(
        [(f"{TITLES[name]}\n{LINES[name]}", name) for name in names],
        value="bundled",
        label="Images from",
        elem_id="sources",
    )
    bundled, bundled_panel = _bundled(data)
    cards, cards_panel = _cards(page, data)
    upload, upload_key, in_use, upload_panel = _upload()
    panels = {
        "bundled": bundled_panel,
        "draft": cards_panel,
        "upload": upload_panel,
        "folder": _folder(),
        "hub": _hub(),
    }
    panel_columns = [panel.column for panel in panels.values()]
    choice.change(_show(list(panels)), choice, panel_columns, **UNQUEUED)
    kept = upload.upload(_keep(data), upload, upload_key, **QUEUED)
    kept.failure(_no_zip, None, [upload, upload_key], **QUEUED)
    gr.on([upload.clear, upload.delete], _no_zip, None, [upload, upload_key], **QUEUED)
    upload_key.change(_zip_in_use, [upload, upload_key], in_use, **UNQUEUED)
    return Sources(choice, panels, bundled, upload, upload_key, cards)


def _bundled(data: Data) -> tuple[gr.Dropdown, Panel]:
    sets = data.datasets()
    first = sets[0] if sets else None
    with gr.Column(visible=True) as column:
        dropdown = gr.Dropdown(
            [(card.title, card.name) for card in sets],
            value=first.name if first else None,
            label="Dataset",
            filterable=False,
        )
        summary = gr.Markdown(describe(first) if first else "", elem_classes="quiet")
    dropdown.input(_describe(data), dropdown, summary, **UNQUEUED)
    return dropdown, Panel(column, dropdown)


def _cards(page: Page, data: Data) -> tuple[collect.Cards, Panel]:
    with gr.Column(visible=False) as column:
        gr.Markdown(COLLECT, elem_classes="quiet")
        cards = collect.build(page, data)
    return cards, Panel(column, page.client)


def _upload() -> tuple[gr.File, gr.State, gr.Markdown, Panel]:
    key = gr.State("")
    with gr.Column(visible=False) as column:
        upload = gr.File(
            file_types=[".zip"], label="Zip of class folders", height=140, elem_id="zip"
        )
        in_use = gr.Markdown("", visible=False, elem_id="zip-in-use")
        gr.Markdown(ZIP, elem_classes="quiet")
    return upload, key, in_use, Panel(column, key, "Drop a zip in the tab Data.")


def _folder() -> Panel:
    with gr.Column(visible=False) as column:
        path = gr.Textbox(
            label="Folder on the machine that runs this app", info="one sub-folder per class"
        )
    return Panel(column, path, "Type the folder's path in the tab Data.")


def _hub() -> Panel:
    with gr.Column(visible=False) as column:
        id = gr.Textbox(label="Dataset id on the Hugging Face Hub", placeholder="owner/name")
    return Panel(column, id, "Type a dataset id in the tab Data, for instance ylecun/mnist.")


def _show(names: Sequence[str]):
    def show(source: str) -> list[gr.Column]:
        return [gr.Column(visible=name == source) for name in names]

    return show


def _keep(data: Data):
    @speaking
    def keep(file: str) -> str:
        return data.keep_upload(Path(file))

    return keep


def _no_zip() -> tuple[None, str]:
    """Nothing is armed that the page does not show."""
    return None, ""


def _zip_in_use(file: str | None, key: str) -> gr.Markdown:
    """Names a zip that a reload has brought back, where no file stands in the field."""
    words = f"In use: **{text.plain(key)}**, sent before. Drop another one to replace it."
    return gr.Markdown(words, visible=bool(key) and not file)


def _describe(data: Data):
    @speaking
    def describe_chosen(name: str) -> str:
        return "".join(describe(card) for card in data.datasets() if card.name == name)

    return describe_chosen


def describe(card: DatasetCard) -> str:
    """Markdown: a line under the chosen bundled dataset."""
    return f"{text.plain(card.summary)} Licence: {text.plain(card.licence)}."
