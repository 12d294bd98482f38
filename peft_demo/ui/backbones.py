"""The choice of the frozen backbone."""

from collections.abc import Sequence

import gradio as gr

from ..contracts.cards import BackboneCard
from ..contracts.service import Zoo
from . import text
from .toasts import speaking
from .wiring import UNQUEUED

OPEN = ("what the files say", "")
"""The choice of none."""


def build(tab: gr.Tab, zoo: Zoo) -> gr.Dropdown:
    """Draws the list into the open context; opening the tab lists backbones registered
    meanwhile.
    """
    cards = zoo.backbones()
    backbone = gr.Dropdown(
        choices(cards),
        value=cards[0].name if cards else None,
        label="Frozen backbone",
        filterable=False,
    )
    tab.select(_list(zoo), None, backbone, **UNQUEUED)
    return backbone


def build_open(tab: gr.Tab, zoo: Zoo, label: str, elem_id: str) -> gr.Dropdown:
    """As `build`, with the choice of none, which stands first."""
    backbone = gr.Dropdown(
        [OPEN, *choices(zoo.backbones())],
        value="",
        label=label,
        filterable=False,
        elem_id=elem_id,
    )
    tab.select(_list(zoo, OPEN), None, backbone, **UNQUEUED)
    return backbone


def _list(zoo: Zoo, *first: tuple[str, str]):
    @speaking
    def list_backbones() -> gr.Dropdown:
        return gr.Dropdown([*first, *choices(zoo.backbones())])

    return list_backbones


def choices(cards: Sequence[BackboneCard]) -> list[tuple[str, str]]:
    """Dropdown choices: what each backbone is, its size, and whether it has to be fetched first."""
    return [(describe(card), card.name) for card in cards if not card.refusal]


def describe(card: BackboneCard) -> str:
    """ViT-Ti/16 · 5.52 M · 224 px · to download, 22 MB"""
    parts = [card.title, text.short(card.parameters), f"{card.size} px"]
    if not card.ready:
        parts.append(f"to download, {card.megabytes:.0f} MB")
    return " · ".join(parts)
