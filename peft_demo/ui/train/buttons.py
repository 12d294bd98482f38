"""Start and Stop, and how they stand."""

from dataclasses import dataclass

import gradio as gr

from ...contracts.cards import Status


@dataclass(frozen=True)
class Buttons:
    start: gr.Button
    stop: gr.Button
    blocked: gr.State
    """Why the run that the form describes cannot be started, "" if it can."""


def start_button(status: Status, blocked: str = "") -> gr.Button:
    """Start, as it stands while something runs, or a run cannot be started."""
    label = "Start training"
    if status.busy:
        label = "Train this next" if status.queues else "Training …"
    waits = status.queues or not status.busy
    return gr.Button(label, interactive=waits and not blocked)


def stop_button(stoppable: bool) -> gr.Button:
    """Stop, red while there is something to stop."""
    return gr.Button(interactive=stoppable, variant="stop" if stoppable else "secondary")
