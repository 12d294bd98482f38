"""The choice of the frozen backbone."""

from collections.abc import Sequence

import gradio as gr

from ...contracts.cards import BackboneCard
from ...contracts.service import Zoo
from .. import text
from ..toasts import speaking
from ..wiring import UNQUEUED


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


def _list(zoo: Zoo):
    @speaking
    def list_backbones() -> gr.Dropdown:
        return gr.Dropdown(choices(zoo.backbones()))

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
