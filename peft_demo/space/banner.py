"""What the page says above its tabs on a Space."""

import os

import gradio as gr

from .training_queue import SECONDS, SHOTS, STEPS

NOTE = (
    "What you make here is yours alone and **saved until the Space restarts** or you stay away for "
    "a day: download adapters you want to keep. "
    f"At most {SHOTS} shots, {STEPS} steps and {SECONDS // 60} minutes a run; visitors take turns."
)


def banner() -> None:
    """Draws the line into the open context.

    Beside it stands a login, where the Space has one (`hf_oauth` in its settings).
    """
    with gr.Row(equal_height=True):
        with gr.Column(scale=8, min_width=280):
            gr.Markdown(NOTE, elem_id="space", elem_classes="quiet")
        if "OAUTH_CLIENT_ID" in os.environ:
            with gr.Column(scale=2, min_width=180):
                gr.LoginButton(size="sm")
