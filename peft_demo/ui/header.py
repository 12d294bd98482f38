"""The line above the tabs: which frozen backbone, and what the machine is doing."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ..contracts.cards import BackboneCard, Status
from ..contracts.events import Event, Finished
from ..contracts.run_state import RunState
from ..contracts.service import Zoo
from . import text
from .page import Page
from .toasts import speaking
from .wiring import UNQUEUED

READY = "Ready"
STATES = {
    RunState.QUEUED: "Waiting",
    RunState.PREPARING: "Preparing",
    RunState.RUNNING: "Training",
    RunState.STOPPING: "Stopping",
}
"""Words for a machine at work; in every other state it is ready."""


@dataclass(frozen=True)
class Header:
    backbone: gr.Dropdown
    status: gr.Markdown


def build(page: Page, zoo: Zoo) -> Header:
    """Draws the header into the open context; opening the page lists backbones registered
    meanwhile.
    """
    cards = zoo.backbones()
    with gr.Row(equal_height=True):
        with gr.Column(scale=4, min_width=280):
            gr.Markdown(
                "# PEFT Demo\nA frozen Vision Transformer, a few images, an adapter.",
                elem_id="brand",
            )
        with gr.Column(scale=4, min_width=280):
            backbone = gr.Dropdown(
                choices(cards),
                value=cards[0].name if cards else None,
                label="Frozen backbone",
                filterable=False,
            )
        with gr.Column(scale=3, min_width=240):
            status = gr.Markdown(READY, elem_id="status")
    page.blocks.load(_list(zoo), None, backbone, **UNQUEUED)
    return Header(backbone, status)


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


def status_line(status: Status, events: Sequence[Event]) -> str:
    """Markdown: state, step and time left, else device and memory; after a run, proof that the
    backbone was frozen.
    """
    parts = [f"**{STATES.get(status.state, READY)}**"]
    if status.busy:
        parts += _step(status)
    else:
        parts += _machine(status)
    return " · ".join(parts) + proof(events)


def _step(status: Status) -> list[str]:
    parts = []
    if status.steps:
        parts.append(f"step {status.step} of {status.steps}")
    if status.state is RunState.RUNNING and status.eta_s > 0:
        parts.append(f"{text.seconds(status.eta_s)} left")
    return parts


def _machine(status: Status) -> list[str]:
    parts = [text.plain(status.device)]
    if status.memory_mb:
        parts.append(f"{status.memory_mb:.0f} MB")
    return parts


def proof(events: Sequence[Event]) -> str:
    """frozen ✓ sha256 4f0c4f0c4f0c, on a line of its own; empty before a run has ended."""
    last = events[-1] if events else None
    if not isinstance(last, Finished):
        return ""
    verdict = "frozen ✓" if last.unchanged else "**the backbone changed ✗**"
    return f"<br>{verdict} sha256 {text.plain(last.fingerprint[:12])}"
