"""The pictures on the cards, as one sheet of styles.

They are sent once and after the cards, which do not wait for them; drawing the cards anew sends
none of them again. Adapters with the same pictures share one rule.
"""

from collections.abc import Iterator, Sequence
from hashlib import sha256
from html import escape

import gradio as gr

from ...contracts.cards import THUMBNAILS, ZooEntry
from ...contracts.errors import PeftDemoError
from ...contracts.service import Zoo
from ..data_url import data_url

Drawn = tuple[tuple[str, int], ...]
"""(id, bytes of its file) of the adapters whose pictures are on the page."""


def build() -> tuple[gr.HTML, gr.State]:
    """The empty sheet, and the `Drawn` of it."""
    return gr.HTML("", padding=False, elem_id="card-pictures"), gr.State(())


def place(entry: ZooEntry, dataset: str) -> str:
    """HTML: where the pictures of an adapter stand, its dataset's initials until they are there."""
    squares = "<i></i>" * THUMBNAILS
    return (
        f'<span class="four {_class(entry.id)}" aria-hidden="true">'
        f"<b>{escape(initials(dataset))}</b>{squares}</span>"
    )


def initials(dataset: str) -> str:
    """my hats → MH; digits → DI"""
    words = "".join(letter if letter.isalnum() else " " for letter in dataset).split()
    letters = "".join(word[0] for word in words[:2]) if len(words) > 1 else "".join(words)[:2]
    return letters.upper() or "?"


def drawn(entries: Sequence[ZooEntry]) -> Drawn:
    """What the sheet of these adapters is drawn from."""
    return tuple((entry.id, entry.file_bytes) for entry in entries)


def sheet(entries: Sequence[ZooEntry], zoo: Zoo) -> str:
    """HTML: the sheet of these adapters' pictures."""
    classes: dict[tuple[bytes, ...], list[str]] = {}
    for entry in entries:
        if found := _pictures(entry, zoo):
            classes.setdefault(found, []).append(_class(entry.id))
    rules = [rule for found, names in classes.items() for rule in _rules(found, names)]
    return f"<style>{''.join(rules)}</style>"


def _pictures(entry: ZooEntry, zoo: Zoo) -> tuple[bytes, ...]:
    if entry.card is None:
        return ()
    try:
        return tuple(zoo.thumbnails(entry.id))
    except PeftDemoError:
        return ()


def _rules(pictures: tuple[bytes, ...], classes: list[str]) -> Iterator[str]:
    cards = f":is({','.join(f'.{name}' for name in classes)})"
    yield f"{cards} b{{display:none !important}}"
    for n, picture in enumerate(pictures, start=1):
        address = data_url(picture)
        shown = f"display:block !important;background-image:url({address})"
        yield f"{cards} i:nth-of-type({n}){{{shown}}}"


def _class(id: str) -> str:
    """A name of a style that any id gives."""
    return f"p-{sha256(id.encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
