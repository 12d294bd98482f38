"""The adapter that a run goes on from."""

from collections.abc import Sequence

import gradio as gr

from ...contracts.service import Zoo
from ..classify.usable import usable
from ..toasts import speaking
from ..wiring import relisted

NEW = "nothing: a new adapter"
"""How the page calls a run that goes on from no adapter."""


def build() -> gr.Dropdown:
    """Draws the list into the open context; `choices` fills it."""
    return gr.Dropdown(
        [(NEW, "")],
        value="",
        label="Go on from",
        info="an adapter, also with other classes; method and knobs are its own then",
        elem_id="origin",
    )


def choices(zoo: Zoo, chosen: str) -> gr.Dropdown:
    """The list of all adapters that can be used here, with `chosen` if it is one of them."""
    ids = usable(zoo)
    return gr.Dropdown(_named(ids), value=chosen if chosen in ids else "")


def _named(ids: Sequence[str]) -> list[tuple[str, str]]:
    return [(NEW, ""), *((id, id) for id in ids)]


def lister(zoo: Zoo):
    """The handler that fills the list and keeps what is chosen."""

    @speaking
    def list_adapters(chosen: str) -> gr.Dropdown:
        ids = usable(zoo)
        return relisted(gr.Dropdown, _named(ids), chosen, chosen if chosen in ids else "")

    return list_adapters
