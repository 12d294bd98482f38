"""The two panes of a map: each picture a small square in the colour of its class, mistakes ringed.

All pictures are sent once, as one sheet of which each square shows its own part. Colours are spread
evenly over the circle of hues. Everything is escaped; the table beside says the same in figures.
"""

import io
from collections.abc import Sequence
from html import escape
from math import ceil, sqrt

import gradio as gr
from PIL import Image

from ...contracts.data_map import DataMap, MappedPicture, Place
from .. import text
from ..data_url import data_url

SIDE = 48
"""Pixels of a picture in the sheet: twice those on the page, for fine screens."""
FIRST_HUE = 185
"""Degrees; that of the page's accent."""

_SCRIPT = """
const points = () => element.querySelectorAll("[data-n]")
const keep = (number) => {
  for (const button of element.querySelectorAll("[data-class]"))
    button.setAttribute("aria-pressed", String(button.dataset.class === number))
  for (const point of points())
    point.classList.toggle("faded", number !== undefined && point.dataset.of !== number)
}
element.addEventListener("click", (event) => {
  const chosen = event.target.closest("[data-class]")
  const isKept = chosen?.getAttribute("aria-pressed") === "true"
  if (chosen) keep(isKept ? undefined : chosen.dataset.class)
})
element.addEventListener("pointerover", (event) => {
  const over = event.target.closest("[data-n]")
  for (const point of points()) point.classList.toggle("held", point.dataset.n === over?.dataset.n)
})
"""
"""A press on a class of the legend fades the others; a picture under the pointer is enlarged in
both panes."""


def build() -> gr.HTML:
    """The empty drawing, drawn into the open context."""
    return gr.HTML("", js_on_load=_SCRIPT, padding=False, elem_id="map-panes")


def draw(drawn: DataMap) -> str:
    """HTML: a legend to press, and the panes before and after."""
    every = drawn.pictures
    before = [_point(drawn, n, picture.before, False) for n, picture in enumerate(every)]
    after = [_point(drawn, n, picture.after, picture.wrong) for n, picture in enumerate(every)]
    panes = _pane("Frozen backbone", drawn.before, before, len(every)) + _pane(
        "With the adapter", drawn.after, after, len(every)
    )
    columns, rows = _grid(len(every))
    sheet = f"--sheet:url({_sheet([picture.picture for picture in every])})"
    return (
        f'<div class="picture-map" style="{sheet};--columns:{columns};--rows:{rows}">'
        f'{_legend(drawn)}<div class="panes">{panes}</div></div>'
    )


def hue(number: int, classes: int) -> int:
    """Degrees of the colour of a class."""
    return round(FIRST_HUE + 360 * number / classes) % 360


def _legend(drawn: DataMap) -> str:
    classes = len(drawn.classes)
    items = "".join(
        f'<li><button type="button" data-class="{n}" aria-pressed="false" '
        f'style="--hue:{hue(n, classes)}"><i></i>{escape(name)}</button></li>'
        for n, name in enumerate(drawn.classes)
    )
    return f'<p>Press a class to see it alone.</p><ul aria-label="Classes">{items}</ul>'


def _pane(title: str, share: float, points: Sequence[str], pictures: int) -> str:
    words = (
        f"{title}: {text.plural(pictures, 'picture')}, "
        f"{100 * share:.0f} % of them next to one of their class. The table has the figures."
    )
    return (
        f'<figure><figcaption>{title}</figcaption><div role="img" aria-label="{words}">'
        f"<div>{''.join(points)}</div></div></figure>"
    )


def _point(drawn: DataMap, n: int, place: Place, ringed: bool) -> str:
    picture = drawn.pictures[n]
    columns, _ = _grid(len(drawn.pictures))
    row, column = divmod(n, columns)
    look = ' class="ringed"' if ringed else ""
    style = (
        f"--x:{place.x:g};--y:{place.y:g};--column:{column};--row:{row};"
        f"--hue:{hue(picture.label, len(drawn.classes))}"
    )
    words = escape(_words(drawn, picture))
    return f'<i{look} data-n="{n}" data-of="{picture.label}" style="{style}" title="{words}"></i>'


def _words(drawn: DataMap, picture: MappedPicture) -> str:
    label = drawn.classes[picture.label]
    return f"{label}, taken for {drawn.classes[picture.answer]}" if picture.wrong else label


def _grid(pictures: int) -> tuple[int, int]:
    """Columns and rows of the sheet."""
    columns = ceil(sqrt(pictures))
    return columns, ceil(pictures / columns)


def _sheet(pictures: Sequence[bytes]) -> str:
    """All pictures as squares of one JPEG, as an address that holds all of it."""
    columns, rows = _grid(len(pictures))
    sheet = Image.new("RGB", (columns * SIDE, rows * SIDE), "white")
    for n, picture in enumerate(pictures):
        row, column = divmod(n, columns)
        with Image.open(io.BytesIO(picture)) as image:
            sheet.paste(_square(image.convert("RGB")), (column * SIDE, row * SIDE))
    file = io.BytesIO()
    sheet.save(file, "JPEG", quality=80)
    return data_url(file.getvalue())


def _square(image: Image.Image) -> Image.Image:
    """The middle of a picture."""
    side = min(image.size)
    left, top = (image.width - side) // 2, (image.height - side) // 2
    return image.crop((left, top, left + side, top + side)).resize((SIDE, SIDE))
