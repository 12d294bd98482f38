"""Many photos of a class in seconds: hold a button, and the camera takes four a second.

The camera lives in the browser (`scripts/film.js`). Its photos, not mirrored, come through an
upload button that nobody sees and join the class cards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ...contracts.errors import BadValue
from ...contracts.service import Data
from .. import text
from ..page import Page
from ..scripts import script
from ..session import valid_id
from ..toasts import speaking
from ..wiring import QUEUED, UNQUEUED, Part, relisted
from .add_photos import ENOUGH, add_photos, count_in_words

CAMERA = """<div class="film">
  <video muted playsinline hidden></video>
  <div>
    <button type="button" data-start>Start the camera</button>
    <button type="button" data-record hidden>Hold to record</button>
    <button type="button" data-end hidden>End</button>
  </div>
  <p role="status"></p>
</div>"""

TO_REPORT = """() => document.querySelector("#report").scrollIntoView({block: "start"})"""


@dataclass(frozen=True)
class Film:
    label: gr.Dropdown
    photos: gr.UploadButton
    next: gr.Markdown
    """What to do now: another class, or see them all."""
    go: gr.Button
    """Leads down to the report, once two classes have photos."""

    @property
    def outputs(self) -> list[Part]:
        """What new photos change."""
        return [self.label, self.next, self.go]


def build(classes: Sequence[str]) -> Film:
    """Draws the camera for these classes into the open context, folded away."""
    with gr.Accordion("Film a class with the webcam", open=False, elem_id="film"):
        label = gr.Dropdown(
            list(classes), value=classes[0], label="Class to film", elem_id="film-class"
        )
        gr.HTML(CAMERA, js_on_load=script("film"), padding=False)
        with gr.Column(elem_id="film-photos"):
            photos = gr.UploadButton(file_count="multiple")
        next = gr.Markdown("", elem_id="film-next")
        go = gr.Button("See them all ↓", size="sm", visible=False, elem_id="film-go")
    return Film(label, photos, next, go)


def connect(page: Page, film: Film, names: gr.State, data: Data) -> None:
    """Connects the camera with the classes called `names`, "" for cards that are not in use."""
    names.change(_list, [names, film.label], film.label, **UNQUEUED)
    film.photos.upload(
        _add(film, data),
        [page.client, names, film.label, film.photos, page.photos_changed],
        [page.photos_changed, *film.outputs],
        **QUEUED,
    )
    film.go.click(None, None, None, js=TO_REPORT, **UNQUEUED)


def _list(names: Sequence[str], chosen: str | None) -> gr.Dropdown:
    choices = [name for name in names if name]
    value = chosen if chosen in choices else next(iter(choices), None)
    return relisted(gr.Dropdown, choices, chosen, value)


def _add(film: Film, data: Data):
    @speaking
    def add(
        client: str, names: Sequence[str], label: str | None, photos: list[str], counter: int
    ) -> list[Any]:
        client = valid_id(client)
        if not label or label not in names:
            raise BadValue("no class has been chosen to film.", "Choose one above the camera.")
        count = add_photos(data.drafts, client, label, [Path(photo) for photo in photos])
        filled = {name for name, keys in data.drafts.classes(client).items() if keys}
        empty = [name for name in names if name and name not in filled]
        goes_on = bool(empty) and count >= ENOUGH
        choices = [name for name in names if name]
        chosen = gr.Dropdown(choices, value=empty[0]) if goes_on else gr.skip()
        words = _words(label, count, empty)
        return [counter + 1, chosen, words, gr.Button(visible=len(filled) > 1)]

    return add


def _words(label: str, count: int, empty: Sequence[str]) -> str:
    """Markdown: how many photos the class has, and what to film now."""
    has = f"**{text.plain(label)}** has {count_in_words(count)}."
    if count < ENOUGH or not empty:
        return has
    return f"{has} Now film **{text.plain(empty[0])}**."
