"""The line above the tabs: which frozen backbone, and what the machine is doing."""

from collections.abc import Sequence
from dataclasses import dataclass

import gradio as gr

from ..contracts.cards import BackboneCard, Status
from ..contracts.events import Event, Finished
from ..contracts.run_state import RunState
from ..contracts.service import Service
from . import text
from .toasts import UNQUEUED, speaking

STATES = {
    RunState.QUEUED: "Waiting",
    RunState.PREPARING: "Preparing",
    RunState.RUNNING: "Training",
    RunState.STOPPING: "Stopping",
}
"""Word for a busy machine; in every other state it is ready."""
READY = "Ready"


@dataclass(frozen=True)
class Header:
    backbone: gr.Dropdown
    status: gr.Markdown


def build(service: Service) -> Header:
    """Draws the header into the open context."""
    cards = service.zoo.backbones()
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
    return Header(backbone, status)


def wire(demo: gr.Blocks, service: Service, header: Header) -> None:
    """A page that is opened shows backbones registered since the server started."""
    refresh = speaking(lambda: gr.Dropdown(choices(service.zoo.backbones())))
    demo.load(refresh, None, header.backbone, **UNQUEUED)


def choices(cards: Sequence[BackboneCard]) -> list[tuple[str, str]]:
    """Dropdown choices: what each backbone is, its size, and whether it has to be fetched first."""
    return [(describe(c), c.name) for c in cards]


def describe(card: BackboneCard) -> str:
    """ViT-Ti/16 · 5.52 M · 224 px · to download, 22 MB"""
    where = f"to download, {card.megabytes:.0f} MB" if not card.ready else ""
    parts = [card.title, text.short(card.parameters), f"{card.size} px", where]
    return " · ".join(filter(None, parts))


def line(status: Status, events: Sequence[Event]) -> str:
    """The status line: state, step, time left, else device and memory; once there is one, the proof of frozenness."""
    parts = [f"**{STATES.get(status.state, READY)}**"]
    if status.busy and status.steps:
        parts.append(f"step {status.step} of {status.steps}")
    if status.state is RunState.RUNNING and status.eta_s > 0:
        parts.append(f"{text.seconds(status.eta_s)} left")
    if not status.busy:
        parts += [text.plain(status.device)] + (
            [f"{status.memory_mb:.0f} MB"] if status.memory_mb else []
        )
    return " · ".join(parts) + proof(events)


def proof(events: Sequence[Event]) -> str:
    """frozen ✓ sha256 4f0c4f0c4f0c, on a line of its own; empty before a run has ended."""
    last = events[-1] if events else None
    if not isinstance(last, Finished):
        return ""
    word = "frozen ✓" if last.unchanged else "**the backbone changed ✗**"
    return f"<br>{word} sha256 {text.plain(last.fingerprint[:12])}"
