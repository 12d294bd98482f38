"""The browser's id, kept by the browser itself, so that a reload finds its photos and its runs
again.
"""

import re
import uuid

import gradio as gr

_ID = re.compile(r"[0-9a-f]{32}")


def browser_id() -> gr.BrowserState:
    """Where the browser keeps its id.

    Key and secret are fixed: a restarted server could not read what it wrote otherwise. The secret
    protects nothing.
    """
    return gr.BrowserState("", storage_key="peft-demo", secret="peft-demo")


def form_memory() -> gr.BrowserState:
    """Where the browser keeps what was filled in; see `memory`."""
    return gr.BrowserState({}, storage_key="peft-demo-form", secret="peft-demo")


def valid_id(id: object) -> str:
    """The id that the browser sent if it has the form of one, else a new one:
    it may send anything.
    """
    if isinstance(id, str) and _ID.fullmatch(id):
        return id
    return uuid.uuid4().hex
