"""The line above the tabs: what this is, and what the machine is doing."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

import gradio as gr

from ..contracts.cards import Status
from ..contracts.events import Event, Finished
from ..contracts.run_state import RunState
from . import text
from .wiring import QUEUED

NAME = "PEFT Demo"
SENTENCE = "Teach it your own classes with a few photos."
READY = "Ready"
OUTCOMES = {
    RunState.DONE: "Done",
    RunState.STOPPED: "Stopped",
    RunState.FAILED: "Failed",
    RunState.INTERRUPTED: "Interrupted",
}
"""How a run ended, in the title of the browser's tab."""
_TITLE = """(html) => {
  const title = new DOMParser().parseFromString(html, "text/html").querySelector("[data-title]")
  if (title) document.title = title.dataset.title
}"""
STATES = {
    RunState.QUEUED: "Waiting",
    RunState.PREPARING: "Preparing",
    RunState.RUNNING: "Training",
    RunState.STOPPING: "Stopping",
}
"""Words for a machine at work; in every other state it is ready."""


@dataclass(frozen=True)
class Header:
    status: gr.Markdown
    bar: gr.HTML
    """A thin line under the header while a run goes on; carries the title of the browser's tab."""


def build() -> Header:
    """Draws the header into the open context."""
    with gr.Row(equal_height=True, elem_id="header"):
        gr.Markdown(f"# {NAME}\n{SENTENCE}", elem_id="brand")
        status = gr.Markdown(READY, elem_id="status")
    bar = gr.HTML('<div class="bar" hidden></div>', elem_id="run-bar", padding=False)
    bar.change(None, bar, None, js=_TITLE, **QUEUED)
    return Header(status, bar)


def run_bar(status: Status, was_busy: bool) -> str:
    """HTML: how far the run is, hidden if none goes on; `was_busy` if this page has seen one."""
    percent = round(100 * status.step / status.steps) if status.steps else 0
    title = NAME
    if status.busy:
        title = f"{percent} % · {NAME}"
    elif was_busy:
        title = f"{OUTCOMES.get(status.state, 'Ended')} · {NAME}"
    shown = "" if status.busy else " hidden"
    bounds = f'aria-valuemin="0" aria-valuemax="100" aria-valuenow="{percent}"'
    role = f'role="progressbar" aria-label="Training" {bounds}'
    filled = f'<div style="width:{percent}%"></div>'
    return f'<div class="bar" data-title="{escape(title)}" {role}{shown}>{filled}</div>'


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
    """ " · backbone unchanged ✓", empty before a run has ended."""
    last = events[-1] if events else None
    if not isinstance(last, Finished):
        return ""
    return " · " + ("backbone unchanged ✓" if last.unchanged else "**the backbone changed ✗**")
