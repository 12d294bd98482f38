"""The adapter that a run goes on from."""

import gradio as gr

from ...contracts.service import Zoo
from ..classify.usable import usable
from ..toasts import speaking

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
    """The list of all adapters that can be used here; `chosen` stays if it is one of them."""
    ids = usable(zoo)
    named = [(id, id) for id in ids]
    return gr.Dropdown([(NEW, ""), *named], value=chosen if chosen in ids else "")


def lister(zoo: Zoo):
    """The handler that fills the list and keeps what is chosen."""

    @speaking
    def list_adapters(chosen: str) -> gr.Dropdown:
        return choices(zoo, chosen)

    return list_adapters
