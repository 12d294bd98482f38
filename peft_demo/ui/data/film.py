"""Many photos of a class in seconds: hold a button, and the camera takes four a second.

The camera lives in the browser (`scripts/film.js`). Its photos, not mirrored, come through an
upload button that nobody sees and join the class cards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from ...contracts.errors import BadValue
from ...contracts.service import Data
from ..page import Page
from ..scripts import script
from ..session import valid_id
from ..toasts import speaking
from ..wiring import QUEUED, UNQUEUED, relisted
from .add_photos import add_photos

CAMERA = """<div class="film">
  <video muted playsinline hidden></video>
  <div>
    <button type="button" data-start>Start the camera</button>
    <button type="button" data-record hidden>Hold to record</button>
    <button type="button" data-end hidden>End</button>
  </div>
  <p role="status"></p>
</div>"""


@dataclass(frozen=True)
class Film:
    label: gr.Dropdown
    photos: gr.UploadButton


def build(classes: Sequence[str]) -> Film:
    """Draws the camera for these classes into the open context, folded away."""
    with gr.Accordion("Film a class with the webcam", open=False, elem_id="film"):
        label = gr.Dropdown(
            list(classes), value=classes[0], label="Class to film", elem_id="film-class"
        )
        gr.HTML(CAMERA, js_on_load=script("film"), padding=False)
        with gr.Column(elem_id="film-photos"):
            photos = gr.UploadButton(file_count="multiple")
    return Film(label, photos)


def connect(page: Page, film: Film, names: gr.State, data: Data) -> None:
    """Connects the camera with the classes called `names`, "" for cards that are not in use."""
    names.change(_list, [names, film.label], film.label, **UNQUEUED)
    film.photos.upload(
        _add(data),
        [page.client, names, film.label, film.photos, page.photos_changed],
        page.photos_changed,
        **QUEUED,
    )


def _list(names: Sequence[str], chosen: str | None) -> gr.Dropdown:
    choices = [name for name in names if name]
    value = chosen if chosen in choices else next(iter(choices), None)
    return relisted(gr.Dropdown, choices, chosen, value)


def _add(data: Data):
    @speaking
    def add(
        client: str, names: Sequence[str], label: str | None, photos: list[str], counter: int
    ) -> int:
        client = valid_id(client)
        if not label or label not in names:
            raise BadValue("no class has been chosen to film.", "Choose one above the camera.")
        add_photos(data.drafts, client, label, [Path(photo) for photo in photos])
        return counter + 1

    return add
