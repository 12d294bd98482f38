"""What the camera sees is answered while it films, twice a second."""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from ..toasts import speaking
from ..wiring import ON_DEVICE, QUEUED, UNQUEUED, Updates
from .asker import Asker
from .tab import Question

START = "Live camera"
END = "End live camera"
EVERY_S = 0.5
"""Seconds between two pictures that are asked about."""
CAMERA = {"video": {"width": 320, "height": 240}}
_START_FILMING = """() => {
  const ends = Date.now() + 60_000
  const turn = window.liveTurn = {}
  const press = (button, then) => {
    if (window.liveTurn !== turn || Date.now() > ends) return
    const found = document.querySelector(`#live ${button}`)
    if (!found) return setTimeout(() => press(button, then), 100)
    found.click()
    then?.()
  }
  const shoot = () => press("[aria-label='capture photo']")
  press("[title='grant webcam access'] button", shoot)
}"""
"""Gradio's camera asks for two presses more. The second waits for a person to allow the camera."""


@dataclass(frozen=True)
class Live:
    camera: gr.Image
    """Takes the place of the image while it is on."""
    switch: gr.Button


def build_camera() -> gr.Image:
    """Draws the camera, hidden, into the open context."""
    return gr.Image(
        type="filepath",
        format="jpeg",
        sources=["webcam"],
        streaming=True,
        height=380,
        visible=False,
        label="Live camera",
        webcam_options=gr.WebcamOptions(mirror=False, constraints=CAMERA),
        elem_id="live",
    )


def build_switch() -> gr.Button:
    """Draws the button that turns it on and off into the open context."""
    return gr.Button(START, size="sm", elem_id="live-switch")


def connect(live: Live, question: Question, asker: Asker, shown: list[Any]) -> None:
    """Connects the switch, and the pictures to the answers that are `shown`."""
    turned = live.switch.click(
        _turn(live, question), live.switch, [live.camera, live.switch, question.image], **UNQUEUED
    )
    turned.then(None, None, None, js=_START_FILMING, **QUEUED)
    live.camera.stream(
        speaking(asker.answered),
        [live.camera, question.adapter, question.compare],
        shown,
        stream_every=EVERY_S,
        **{**ON_DEVICE, "show_progress": "hidden"},
    )


def _turn(live: Live, question: Question):
    def turn(label: str) -> Updates:
        starts = label == START
        return {
            live.camera: gr.Image(visible=starts),
            live.switch: END if starts else START,
            question.image: gr.Image(visible=not starts),
        }

    return turn
