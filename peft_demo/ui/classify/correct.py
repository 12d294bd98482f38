"""Add the image to a class of one's own: it joins the class cards of the tab Data."""

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ...contracts.errors import BadValue
from ...contracts.service import Data
from .. import text
from ..data.add_photos import add_photos
from ..data.collect import MOST
from ..page import Page
from ..session import valid_id
from ..toasts import speaking
from ..wiring import QUEUED, UNQUEUED


@dataclass(frozen=True)
class Correction:
    label: gr.Dropdown
    add: gr.Button
    cards: gr.Button
    """Leads to the class cards, once something was added."""


def build() -> Correction:
    """Draws this part into the open context."""
    with gr.Accordion("Wrong? It is …", open=False):
        gr.Markdown(
            "It joins the class cards of **Data › Collect**, ready for the next training.",
            elem_classes="quiet",
        )
        label = gr.Dropdown([], value=None, label="Class", allow_custom_value=True)
        with gr.Row():
            add = gr.Button("Add to class", size="sm")
            cards = gr.Button("See my classes →", size="sm", visible=False, elem_id="to-cards")
        return Correction(label, add, cards)


def connect(page: Page, tab: gr.Tab, part: Correction, image: gr.Image, data: Data) -> None:
    """Connects the events; opening the tab lists the classes there are."""
    tab.select(_list(data), page.client, part.label, **UNQUEUED)
    part.add.click(
        _add(data),
        [page.client, image, part.label, page.photos_changed],
        [page.photos_changed, part.cards],
        **QUEUED,
    )


def _list(data: Data):
    @speaking
    def list_classes(client: str) -> gr.Dropdown:
        return gr.Dropdown(list(data.drafts.classes(valid_id(client))))

    return list_classes


def _add(data: Data):
    @speaking
    def add(
        client: str, image: str | None, label: str | None, counter: int
    ) -> tuple[int, gr.Button]:
        label = " ".join((label or "").split())
        if not image or not label:
            raise BadValue(
                "an image and the name of a class are needed.",
                "Drop an image and type or choose a class.",
            )
        drafts = data.drafts
        classes = drafts.classes(client)
        if label not in classes and len(classes) >= MOST:
            raise BadValue(
                f"this page collects at most {MOST} classes.", "Remove one in the tab Data first."
            )
        count = add_photos(drafts, client, label, [Path(image)])
        gr.Info(f"Added: {text.plural(count, 'image')} of it now under Data, Collect.")
        return counter + 1, gr.Button(visible=True)

    return add
