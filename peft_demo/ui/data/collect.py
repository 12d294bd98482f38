"""The class cards of Collect: a fixed pool of them, because `gr.render` would drop uploads when it
draws again.

The photos live on the server under the browser's id; a card only shows them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from ...contracts.errors import BadValue
from ...contracts.service import Data, Drafts
from ..files import offer
from ..page import Page
from ..session import valid_id
from ..toasts import speaking
from ..wiring import QUEUED, UNQUEUED, Part
from . import film
from .add_photos import count_in_words
from .webcam import unmirrored

MOST = 12
"""Classes."""
FIRST = ("class 1", "class 2")

Content = tuple[tuple[str, int], ...]
"""(class, number of photos) of a draft."""


@dataclass(frozen=True)
class Card:
    column: gr.Column
    name: gr.Textbox
    images: gr.Gallery
    count: gr.Markdown
    """How many photos it has, and whether more would help."""
    remove: gr.Button


@dataclass(frozen=True)
class Cards:
    cards: tuple[Card, ...]
    names: gr.State
    """Name of every card as the server knows it; "" where the card is not in use."""
    content: gr.State
    """The `Content` of the draft."""
    add: gr.Button

    @property
    def components(self) -> list[Part]:
        parts: list[Part] = []
        for card in self.cards:
            parts += [card.column, card.name, card.images]
        return parts


def build(page: Page, data: Data) -> Cards:
    """Draws the pool, two cards open, and connects it with the draft on the server."""
    camera = film.build([*FIRST])
    with gr.Row():
        pool = tuple(_card(n) for n in range(MOST))
    add = gr.Button("Add a class", size="sm", variant="secondary")
    cards = Cards(pool, gr.State([*FIRST] + [""] * (MOST - len(FIRST))), gr.State(()), add)
    _connect(page, cards, data)
    film.connect(page, camera, cards.names, data)
    return cards


def _card(n: int) -> Card:
    opened = n < len(FIRST)
    with gr.Column(min_width=260, visible=opened, variant="panel") as column:
        name = gr.Textbox(
            FIRST[n] if opened else "",
            label=f"Name of class {n + 1}",
            max_length=100,
            elem_id=f"class-{n}",
        )
        images = gr.Gallery(
            label="Images",
            type="filepath",
            sources=["upload", "webcam", "clipboard"],
            file_types=["image"],
            columns=4,
            height=230,
            interactive=True,
            object_fit="contain",
            fit_columns=False,
            elem_id=f"images-{n}",
        )
        count = gr.Markdown(count_in_words(0), elem_classes="quiet")
        remove = gr.Button("Remove class", size="sm", variant="secondary")
    return Card(column, name, images, count, remove)


def _connect(page: Page, cards: Cards, data: Data) -> None:
    cards.add.click(speaking(_add), cards.names, [cards.names, *cards.components], **QUEUED)
    for n, card in enumerate(cards.cards):
        state = [page.client, cards.names]
        card.images.change(
            _put(data, n),
            [*state, card.images],
            [cards.content, card.images],
            trigger_mode="always_last",
            **QUEUED,
        )
        gr.on(
            [card.name.submit, card.name.blur],
            _rename(data, n),
            [*state, card.name],
            [cards.names, card.name, cards.content],
            **QUEUED,
        )
        emptied = [cards.names, card.column, card.name, card.images, cards.content]
        card.remove.click(_remove(data, n), state, emptied, **QUEUED)
    counts = [card.count for card in cards.cards]
    gr.on(
        [cards.content.change, cards.names.change],
        _count,
        [cards.names, cards.content],
        counts,
        **UNQUEUED,
    )
    everything = [page.client, cards.names, cards.content, *cards.components]
    known = [page.client, cards.names]
    page.blocks.load(_load(data), known, everything, **UNQUEUED)
    page.photos_changed.change(_load(data), known, everything, **QUEUED)


def _count(names: Sequence[str], content: Content) -> list[str]:
    """How full each card is, in words."""
    photos = dict(content)
    return [count_in_words(photos.get(name, 0)) for name in names]


def _add(names: Sequence[str]) -> list[Any]:
    free = next((n for n, name in enumerate(names) if not name), None)
    if free is None:
        raise BadValue(
            f"this page collects at most {MOST} classes.", "For more, use a zip of class folders."
        )
    candidates = (f"class {number}" for number in range(1, 2 * MOST + 2))
    fresh = next(name for name in candidates if name not in names)
    updates: list[Any] = [gr.skip()] * (3 * MOST)
    updates[3 * free : 3 * free + 3] = [gr.Column(visible=True), fresh, None]
    return [_replaced(names, free, fresh), *updates]


def _put(data: Data, n: int):
    @speaking
    def put(
        client: str, names: Sequence[str], items: Sequence[tuple[str, str]] | None
    ) -> tuple[Content, Any]:
        drafts = data.drafts
        sent = [Path(path) for path, _ in items or ()]
        images = [unmirrored(path) for path in sent]
        name = names[n]
        if name and (images or name in drafts.classes(client)):
            drafts.put(client, name, images)
        shown = gr.skip() if images == sent else [str(path) for path in images]
        return content(drafts, client), shown

    return put


def content(drafts: Drafts, client: str) -> Content:
    """What the draft holds, as a value that differs when it does."""
    return tuple((name, len(keys)) for name, keys in drafts.classes(client).items())


def _rename(data: Data, n: int):
    @speaking
    def rename(client: str, names: Sequence[str], new: str | None) -> tuple[Any, str, Any]:
        new = " ".join((new or "").split())
        old = names[n]
        if not new or new == old:
            return names, old, gr.skip()
        if new in names:
            gr.Warning("Two classes cannot have the same name.", title="Name kept")
            return names, old, gr.skip()
        if old in data.drafts.classes(client):
            data.drafts.rename(client, old, new)
        return _replaced(names, n, new), new, content(data.drafts, client)

    return rename


def _remove(data: Data, n: int):
    @speaking
    def remove(client: str, names: Sequence[str]) -> tuple[Any, ...]:
        if names[n] in data.drafts.classes(client):
            data.drafts.drop(client, names[n])
        hidden = gr.Column(visible=False)
        return _replaced(names, n, ""), hidden, "", None, content(data.drafts, client)

    return remove


def _replaced(names: Sequence[str], n: int, name: str) -> list[str]:
    return [*names[:n], name, *names[n + 1 :]]


def _load(data: Data):
    """The handler that shows the draft on the cards."""

    @speaking
    def load(client: str, names: Sequence[str]) -> list[Any]:
        client = valid_id(client)
        drafts = data.drafts
        classes = drafts.classes(client)
        if not classes:
            return [client, *[gr.skip()] * (2 + 3 * MOST)]  # the pool as it was built
        names = placed(names, tuple(classes))
        updates: list[Any] = []
        for name in names:
            pictures = [offer(drafts.image(client, key)) for key in classes.get(name, ())]
            updates += [gr.Column(visible=bool(name)), name, pictures or None]
        return [client, names, content(drafts, client), *updates]

    return load


def placed(names: Sequence[str], classes: Sequence[str]) -> list[str]:
    """The name of every card once all classes of the draft have one: a class keeps its card, with
    or without photos, and a new one takes the first card that is free, or was never named.
    """
    cards = list(names)
    for name in classes:
        free = [n for n, card in enumerate(cards) if _is_free(card, classes)]
        if name not in cards and free:
            cards[free[0]] = name
    return cards


def _is_free(card: str, classes: Sequence[str]) -> bool:
    return not card or (card in FIRST and card not in classes)
