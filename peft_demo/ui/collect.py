"""The class cards of Collect: a fixed pool of them, because `gr.render` would drop uploads when it draws again.

The images live on the server under the browser's id; a card only shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import gradio as gr
from gradio import processing_utils
from gradio.utils import get_upload_folder

from ..contracts.errors import BadValue
from ..contracts.service import Service
from . import session
from .toasts import QUEUED, UNQUEUED, speaking

MOST = 12
FIRST = ("class 1", "class 2")


@dataclass(frozen=True)
class Card:
    column: gr.Column
    name: gr.Textbox
    images: gr.Gallery
    drop: gr.Button


@dataclass(frozen=True)
class Pool:
    cards: tuple[Card, ...]
    names: gr.State
    """Name of every card as the server knows it; "" where the card is not in use."""
    stamp: gr.State
    """(class, number of images) of the draft; changes when it does."""
    add: gr.Button

    @property
    def components(self) -> list:
        return [c for card in self.cards for c in (card.column, card.name, card.images)]


def build() -> Pool:
    """Draws the pool, two cards open."""
    with gr.Row():
        made = tuple(_card(n) for n in range(MOST))
    add = gr.Button("Add a class", size="sm", variant="secondary")
    return Pool(made, gr.State([*FIRST] + [""] * (MOST - len(FIRST))), gr.State(()), add)


def _card(n: int) -> Card:
    with gr.Column(min_width=260, visible=n < len(FIRST), variant="panel") as column:
        name = gr.Textbox(
            FIRST[n] if n < len(FIRST) else "",
            label=f"Name of class {n + 1}",
            max_length=100,
            elem_id=f"class-{n}",
        )
        images = gr.Gallery(
            label="Images", type="filepath", sources=["upload", "webcam", "clipboard"], file_types=["image"],
            columns=4, height=230, interactive=True, object_fit="contain", fit_columns=False, elem_id=f"images-{n}",
        )  # fmt: skip
        drop = gr.Button("Remove class", size="sm", variant="secondary")
    return Card(column, name, images, drop)


def wire(demo: gr.Blocks, service: Service, pool: Pool, client: gr.BrowserState) -> None:
    """Connects the cards with the draft on the server."""
    pool.add.click(speaking(_add), pool.names, [pool.names, *pool.components], **QUEUED)
    for n, card in enumerate(pool.cards):
        both = [client, pool.names]
        named = [client, pool.names, card.name]
        put = _put(service, n)
        rename = _rename(service, n)
        drop = _drop(service, n)
        card.images.change(
            put, [*both, card.images], pool.stamp, trigger_mode="always_last", **QUEUED
        )
        gr.on(
            [card.name.submit, card.name.blur],
            rename,
            named,
            [pool.names, card.name, pool.stamp],
            **QUEUED,
        )
        card.drop.click(
            drop, both, [pool.names, card.column, card.name, card.images, pool.stamp], **QUEUED
        )
    demo.load(
        _load(service), client, [client, pool.names, pool.stamp, *pool.components], **UNQUEUED
    )


def reload_after(event, service: Service, pool: Pool, client: gr.BrowserState) -> None:
    """Draws the cards again when `event` has put an image into the draft from elsewhere."""
    outputs = [client, pool.names, pool.stamp, *pool.components]
    event.success(_load(service), client, outputs, **QUEUED)


def _add(names: Sequence[str]) -> list:
    free = next((n for n, name in enumerate(names) if not name), None)
    if free is None:
        raise BadValue(
            f"this page collects at most {MOST} classes.", "For more, use a zip of class folders."
        )
    fresh = next(f"class {i}" for i in range(1, 2 * MOST + 2) if f"class {i}" not in names)
    names = [fresh if n == free else name for n, name in enumerate(names)]
    shown = [
        c
        for n in range(MOST)
        for c in ((gr.Column(visible=True), fresh, None) if n == free else _SKIP)
    ]
    return [names, *shown]


_SKIP = (gr.skip(), gr.skip(), gr.skip())


def _put(service: Service, n: int):
    def put(client: str, names: Sequence[str], items) -> tuple:
        images = [Path(path) for path, _ in items or ()]
        if names[n] and (images or names[n] in service.data.drafts.classes(client)):
            service.data.drafts.put(client, names[n], images)
        return stamp(service, client)

    return speaking(put)


def stamp(service: Service, client: str) -> tuple:
    """What the draft holds, as a value that differs when it does."""
    return tuple((name, len(keys)) for name, keys in service.data.drafts.classes(client).items())


def _rename(service: Service, n: int):
    def rename(client: str, names: Sequence[str], new: str):
        new = " ".join((new or "").split())
        old = names[n]
        if not new or new == old:
            return names, old, gr.skip()
        if new in names:
            gr.Warning("Two classes cannot have the same name.", title="Name kept")
            return names, old, gr.skip()
        if old in service.data.drafts.classes(client):
            service.data.drafts.rename(client, old, new)
        return (
            [new if i == n else name for i, name in enumerate(names)],
            new,
            stamp(service, client),
        )

    return speaking(rename)


def _drop(service: Service, n: int):
    def drop(client: str, names: Sequence[str]):
        if names[n] in service.data.drafts.classes(client):
            service.data.drafts.drop(client, names[n])
        names = ["" if i == n else name for i, name in enumerate(names)]
        return names, gr.Column(visible=False), "", None, stamp(service, client)

    return speaking(drop)


def _load(service: Service):
    def load(client: str):
        client = session.known(client)
        kept = list(service.data.drafts.classes(client).items())[:MOST]
        if not kept:
            return [client, *[gr.skip()] * (2 + 3 * MOST)]  # the pool as it was built
        names = [name for name, _ in kept]
        names += [name for name in FIRST if name not in names][: max(0, len(FIRST) - len(names))]
        pictures = [
            [offer(service.data.drafts.image(client, key)) for key in keys] for _, keys in kept
        ]
        rows = [(gr.Column(visible=True), *row) for row in zip_longest(names, pictures)]
        rows += [(gr.Column(visible=False), "", None)] * (MOST - len(rows))
        names += [""] * (MOST - len(names))
        return [client, names, stamp(service, client), *(c for row in rows for c in row)]

    return speaking(load)


def offer(file: Path) -> str:
    """A copy of the file where Gradio may show it; nothing else of the machine is ever handed out."""
    return processing_utils.save_file_to_cache(file, get_upload_folder())
