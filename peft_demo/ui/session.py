"""Who is looking: an id kept by the browser, so that a reload finds its images and its runs again."""

import re
import uuid

import gradio as gr

_ID = re.compile(r"[0-9a-f]{32}")


def client() -> gr.BrowserState:
    """Key and secret are fixed, or a restarted server could not read what it wrote; the "secret" is no secret."""
    return gr.BrowserState("", storage_key="peft-demo", secret="peft-demo")


def known(id: object) -> str:
    """The id the browser gave if it is one of ours (it may write anything there), else a new one."""
    return id if isinstance(id, str) and _ID.fullmatch(id) else uuid.uuid4().hex
