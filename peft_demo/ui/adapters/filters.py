"""What is shown of the adapters, and how: chips, a search field, an order, cards or a table."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from . import listing, shelf


@dataclass(frozen=True)
class Filters:
    """What is shown of the adapters, and how."""

    dataset: gr.Radio
    method: gr.Radio
    words: gr.Textbox
    order: gr.Dropdown
    view: gr.Radio


def build_chips() -> tuple[gr.Radio, gr.Radio]:
    """The chips of datasets and methods, drawn into the open context."""
    every = [("All", shelf.ALL)]
    settings: dict[str, Any] = {"value": shelf.ALL, "show_label": False, "container": False}
    dataset = gr.Radio(every, label="Dataset", elem_id="sets", elem_classes="choices", **settings)
    method = gr.Radio(every, label="Method", elem_id="methods", elem_classes="choices", **settings)
    return dataset, method


def build(dataset: gr.Radio, method: gr.Radio) -> Filters:
    """The other filters, drawn into the open context."""
    with gr.Row(elem_id="filters"):
        words = gr.Textbox(
            label="Search",
            show_label=False,
            placeholder="Search: name, method, dataset, class",
            container=False,
            max_length=200,
            max_lines=1,
            scale=3,
            min_width=160,
            elem_id="search",
        )
        order = gr.Dropdown(
            shelf.ORDERS,
            value=shelf.NEWEST,
            label="Order",
            show_label=False,
            container=False,
            filterable=False,
            scale=1,
            min_width=150,
            elem_id="order",
        )
        view = gr.Radio(
            [listing.CARDS, listing.TABLE],
            value=listing.CARDS,
            label="Shown as",
            show_label=False,
            container=False,
            scale=0,
            min_width=170,
            elem_id="view",
            elem_classes="choices",
        )
    return Filters(dataset, method, words, order, view)
