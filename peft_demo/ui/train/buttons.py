"""Start and Stop, and how they stand."""

from dataclasses import dataclass

import gradio as gr


@dataclass(frozen=True)
class Buttons:
    start: gr.Button
    stop: gr.Button
    blocked: gr.State
    """Why the run that the form describes cannot be started, "" if it can."""


def start_button(busy: bool, blocked: str = "") -> gr.Button:
    """Start, as it stands while something runs, or a run cannot be started."""
    label = "Training …" if busy else "Start training"
    return gr.Button(label, interactive=not busy and not blocked)


def stop_button(stoppable: bool) -> gr.Button:
    """Stop, red while there is something to stop."""
    return gr.Button(interactive=stoppable, variant="stop" if stoppable else "secondary")
