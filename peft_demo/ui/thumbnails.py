"""Small pictures with words under them, each a button to choose it by. Everything is escaped."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr
from PIL import Image

from .data_url import data_url

SIDE = 160
"""Pixels of the longest edge that is sent."""

PRESSED = """
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-n]")
  if (chosen) trigger("select", {index: Number(chosen.dataset.n), value: ""})
})
"""
"""Script of the row: a press on a picture tells its place in it."""


@dataclass(frozen=True)
class Thumbnail:
    picture: bytes
    title: str
    """What it is."""
    note: str = ""
    """What else there is to say, for instance what it was taken for."""
    wrong: bool = False
    """Whether the note is about a mistake."""


def build(elem_id: str, visible: bool = True) -> gr.HTML:
    """An empty row, drawn into the open context; its `select` event tells which was pressed."""
    return gr.HTML("", js_on_load=PRESSED, padding=False, visible=visible, elem_id=elem_id)


def answered(picture: bytes, label: str, answer: str, probability: float) -> Thumbnail:
    """A picture of the class `label` and what it was taken for."""
    share = f"{100 * probability:.0f}\N{NO-BREAK SPACE}%"
    if answer == label:
        return Thumbnail(picture, label, f"right, {share}")
    return Thumbnail(picture, label, f"said {answer} {share}", wrong=True)


def draw(
    thumbnails: Sequence[Thumbnail], heading: str, wrap: bool = False, pressed: bool = True
) -> str:
    """HTML: the heading and the pictures, in one line that scrolls, or in as many as it takes.

    They are buttons unless nothing comes of it when one is `pressed`.
    """
    items = "".join(_item(n, thumbnail, pressed) for n, thumbnail in enumerate(thumbnails))
    layout = "thumbnails wrap" if wrap else "thumbnails"
    reach = "" if pressed else ' tabindex="0"'
    return f'<div class="{layout}"><h3>{escape(heading)}</h3><ul{reach}>{items}</ul></div>'


def _item(n: int, thumbnail: Thumbnail, pressed: bool) -> str:
    picture = f'<img src="{_small(thumbnail.picture)}" alt="">'
    words = f"<b>{escape(thumbnail.title)}</b>"
    if thumbnail.note:
        look = ' class="mistake"' if thumbnail.wrong else ""
        words += f"<span{look}>{escape(thumbnail.note)}</span>"
    if not pressed:
        return f"<li><div>{picture}{words}</div></li>"
    return f'<li><button type="button" data-n="{n}">{picture}{words}</button></li>'


def _small(picture: bytes) -> str:
    """The picture, no larger than `SIDE`, as an address that holds all of it."""
    with Image.open(io.BytesIO(picture)) as image:
        small = image.convert("RGB")
    small.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    small.save(file, "JPEG", quality=82)
    return data_url(file.getvalue())
